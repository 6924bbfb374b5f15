"""What the chapter on classical methods and its experiments share: deskewing, k-NN votes, an SVM that fits fast."""

import itertools
import pickle
import tempfile
import time
from pathlib import Path

import numpy as np
from scipy import ndimage

ROWS, COLUMNS = np.mgrid[:28, :28]


def deskew(image):
    """Shear one digit upright and put its centre of mass at the centre, by its moments (as LeCun et al. 1998 did).

    Parameters
    ----------
    image : (28, 28), any numeric dtype, 0 is paper

    Returns
    -------
    float32 (28, 28), in the range of the input; an image without ink comes back as it is
    """
    image = np.asarray(image, np.float32)
    ink = image.sum()
    if ink == 0:
        return image
    row, column = (ROWS * image).sum() / ink, (COLUMNS * image).sum() / ink
    spread = ((ROWS - row) ** 2 * image).sum()
    shear = ((ROWS - row) * (COLUMNS - column) * image).sum() / spread if spread else 0.0
    matrix = np.array([[1, 0], [shear, 1]])
    return ndimage.affine_transform(image, matrix, offset=[row, column] - matrix @ [13.5, 13.5], order=1)


def deskewed(images):
    """Deskew uint8 images (n, 28, 28); return float32 (n, 784) in 0..1, as ``helpers.data.prepare`` does."""
    return np.array([deskew(image) for image in images], np.float32).reshape(len(images), -1) / np.float32(255)


def votes_for_each_k(neighbour_labels):
    """Return what k-NN predicts for every k at once, the smallest digit winning a tied vote.

    Parameters
    ----------
    neighbour_labels : int (n, k_max)
        Labels of each query's neighbours, the nearest first.

    Returns
    -------
    int (k_max, n)
        Row k - 1 holds the predictions with k neighbours.
    """
    votes = np.cumsum(np.eye(10, dtype=np.int16)[np.asarray(neighbour_labels)], axis=1)
    return votes.argmax(axis=2).T


def fast_svc(**options):
    """Return scikit-learn's SVC from scikit-learn-intelex where that is installed, from scikit-learn itself elsewhere.

    The two solve the same problem and have the same interface.

    Returns
    -------
    model, library : an unfitted SVC, and the name of the package it comes from
    """
    try:
        from sklearnex.svm import SVC

        library = "scikit-learn-intelex"
    except ImportError:
        from sklearn.svm import SVC

        library = "scikit-learn"
    return SVC(**options), library


def rbf_predict(model, x, block=1000):
    """Predict with a fitted RBF-SVM from its support vectors: one score and one vote for each pair of classes.

    This is what ``SVC.predict`` does in scikit-learn, as one matrix product, which is several times faster. The
    extension's own ``predict`` (scikit-learn-intelex 2026.2) strays from it on a few images in a thousand, so the book
    does not use that.

    Parameters
    ----------
    model : fitted SVC with ``kernel="rbf"`` and a number for ``gamma``
    x : float (n, d)
    block : int
        Rows at a time, so that the kernel matrix stays small.

    Returns
    -------
    array (n,) of the model's classes; the first class wins a tied vote
    """
    from sklearn.metrics.pairwise import rbf_kernel

    pairs = list(itertools.combinations(range(len(model.classes_)), 2))
    ends = np.concatenate([[0], np.cumsum(model.n_support_)])
    weights = np.zeros((ends[-1], len(pairs)), x.dtype)
    for column, (i, j) in enumerate(pairs):
        one, other = slice(ends[i], ends[i + 1]), slice(ends[j], ends[j + 1])
        weights[one, column] = model.dual_coef_[j - 1, one]
        weights[other, column] = model.dual_coef_[i, other]
    # With two classes scikit-learn turns the signs round; here they are as for more classes.
    sign = -1 if len(model.classes_) == 2 else 1
    first, second = np.array(pairs).T
    predicted = []
    for start in range(0, len(x), block):
        similarity = rbf_kernel(x[start : start + block], model.support_vectors_, gamma=model.gamma)
        for_first = sign * (similarity @ weights + model.intercept_) > 0
        votes = for_first @ np.eye(len(model.classes_))[first] + ~for_first @ np.eye(len(model.classes_))[second]
        predicted.append(votes.argmax(axis=1))
    return model.classes_[np.concatenate(predicted)]


def timed(function, *arguments):
    """Call a function; return its result and the seconds it took."""
    start = time.perf_counter()
    result = function(*arguments)
    return result, time.perf_counter() - start


def stored_bytes(model):
    """Return how many bytes a model takes on disk.

    A Keras model: its ``.keras`` file, without the optimiser. An SVM: what ``rbf_predict`` needs, pickled, for the
    libraries keep different things beside it. Any other model: pickled as it is.
    """
    if hasattr(model, "layers"):
        import keras

        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.keras"
            keras.Sequential([keras.Input(model.input_shape[1:]), *model.layers]).save(path)
            return path.stat().st_size
    if hasattr(model, "support_vectors_"):
        arrays = [np.asarray(a, np.float32) for a in (model.support_vectors_, model.dual_coef_, model.intercept_)]
        return len(pickle.dumps([*arrays, model.n_support_, model.classes_, model.gamma], protocol=5))
    return len(pickle.dumps(model, protocol=5))

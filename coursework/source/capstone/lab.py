"""What the capstone hands you: digits moved and turned, the baseline reader, and the scales that weigh a reader."""

import contextlib
import dis
import io
import multiprocessing
import numbers
import os
import pickle
import time
import types
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

#: A budget of processor time may be overdrawn by this factor before a reader is refused: no two measurements agree.
TOLERANCE = 1.5
#: Data of the notebook that fit may use beside its arguments, in bytes: a table of settings, but no images.
SMALL_DATA = 20_000


def moved(images, angles, down, right):
    """Turn each image about its middle and then shift it; what leaves the frame is lost, what enters is paper.

    Parameters
    ----------
    images : (n, 28, 28), any numeric dtype, 0 is paper
    angles : float (n,), or one for all
        Degrees, anticlockwise.
    down, right : float (n,), or one for all
        Pixels; fractions and negative numbers are welcome.

    Returns
    -------
    float32 (n, 28, 28), in the range of the input
    """
    images = np.asarray(images, np.float32)
    if images.ndim != 3 or images.shape[1:] != (28, 28):
        raise ValueError(f"moved() takes images of shape (n, 28, 28), not {images.shape}")
    angles, down, right = (np.broadcast_to(np.asarray(v, float), len(images)) for v in (angles, down, right))
    middle = np.array([13.5, 13.5])
    result = np.empty_like(images)
    for place, image in enumerate(images):
        angle = np.radians(angles[place])
        # affine_transform asks where each pixel of the result comes from, so this is the turn backwards
        back = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        offset = middle - back @ (middle + [down[place], right[place]])
        ndimage.affine_transform(image, back, offset=offset, order=1, output=result[place])
    return result


def baseline_answers(images, labels, scans):
    """What the reader in use today answers: 3 nearest neighbours on raw pixels, as in the chapter on k-NN.

    images uint8 (n, 28, 28), labels int (n,), scans uint8 (m, 28, 28) -> int (m,)
    """
    from sklearn.neighbors import KNeighborsClassifier

    model = KNeighborsClassifier(3, algorithm="brute").fit(_flat(images), labels)
    return model.predict(_flat(scans))


def _flat(images):
    return np.asarray(images, np.float32).reshape(len(images), 784) / np.float32(255)


def errors_removed(answers, before, truth):
    """The share of the errors ``before`` that ``answers`` is rid of: 0 is no better, 1 is perfect, below 0 is worse."""
    wrong, wrong_before = np.sum(np.asarray(answers) != truth), np.sum(np.asarray(before) != truth)
    return float(1 - wrong / wrong_before)


def show(images, titles=None, columns=10):
    """Draw images (n, 28, 28) in rows of ``columns``, ink dark on white, each with its title if there are titles."""
    import matplotlib.pyplot as plt

    images = np.asarray(images)
    rows = -(-len(images) // columns)
    height = 28 if titles is None else 38  # ten pixels for a title
    sheet = np.zeros((rows * height, columns * 32))
    fig, ax = plt.subplots(figsize=(0.6 * columns, 0.6 * rows * height / 28), layout="constrained")
    for place, image in enumerate(images):
        top, left = place // columns * height + height - 28, place % columns * 32 + 2
        sheet[top : top + 28, left : left + 28] = image
        if titles is not None:
            ax.text(left + 14, top - 1, str(titles[place]), ha="center", va="bottom", fontsize=9)
    ax.imshow(sheet, cmap="gray_r", vmin=0, vmax=255, interpolation="nearest")
    ax.axis("off")
    plt.show()


# ---------------------------------------------------------------- the scales


@dataclass
class Examined:
    """A reader on the scales: its answers int (m,), what it cost, and its model as it came back from the bytes."""

    answers: np.ndarray
    units: float
    bytes: int
    model: object

    def __str__(self):
        return f"{self.units:.0f} units of processor time to fit, {self.bytes:,} bytes to keep"


def examine(fit, read, images, labels, scans, units=None):
    """Fit a reader, weigh it, and let it read.

    ``fit(images, labels, rng)`` gets copies of the labelled images and returns a model, ``read(model, scans)`` returns
    one digit per scan. What is weighed:

    - **processor time** of ``fit``, in units. One unit is what a fixed piece of work takes on this machine at this
      moment, about five thousandths of a second on a laptop, so a slow machine is not held against you. Time of the processor
      counts, not of the clock, so neither are other programs. All of it happens in one process and on one processor.
    - **bytes**: the pickled model, and every variable of the notebook that ``read`` uses. ``read`` gets the model back
      from those bytes, as it would on another machine.

    With ``units`` (a budget), a reader that overdraws it is measured once more, and the better of the two counts.
    Raises AssertionError, with the reason, where fit or read do not keep to the rules.
    """
    for name, value in _data_of([fit]).items():
        size = _packed(value, fit.__module__)[1]
        assert size <= SMALL_DATA, (
            f"{fit.__name__} uses the notebook's variable {name!r} ({size:,} bytes). It may learn from its arguments "
            "only: use the images and labels that it is called with"
        )
    taken, model = _fit_once(fit, images, labels)
    if units is not None and taken > TOLERANCE * units:
        again, model = _fit_once(fit, images, labels)
        taken = min(taken, again)
    assert model is not None, f"{fit.__name__} returned None: return the model at its end"
    try:
        copy, size, functions = _packed(model, fit.__module__)
    except Exception as error:
        raise AssertionError(f"the model of {fit.__name__} cannot be pickled ({error}): return plain data") from None
    for value in _data_of([read, *functions]).values():
        size += _packed(value, fit.__module__)[1]
    answers = np.asarray(read(copy, np.array(scans)))
    assert answers.shape == (len(scans),), (
        f"{read.__name__} must return one digit per scan, shape ({len(scans)},), not {answers.shape}"
    )
    assert np.issubdtype(answers.dtype, np.number) and np.all(answers == np.round(answers)), (
        f"{read.__name__} must return digits as whole numbers, not {answers.dtype}, for example {answers[:3]}"
    )
    return Examined(answers.astype(int), taken, size, copy)


def keep_to(budget_units, budget_bytes, examined):
    """Raise AssertionError if an examined reader overdraws its budget; time may be overdrawn by half."""
    assert examined.units <= TOLERANCE * budget_units, (
        f"fitting took {examined.units:.0f} units of processor time, but {budget_units} are allowed: "
        "fewer copies, fewer features or a simpler method"
    )
    assert examined.bytes <= budget_bytes, (
        f"the model and the variables that reading uses take {examined.bytes:,} bytes, but {budget_bytes:,} are "
        "allowed: look at the number of values in it, and at the bytes of each (its dtype)"
    )


def _fit_once(fit, images, labels):
    """Return the units of processor time that fit takes, and its model."""
    with _one_processor():
        unit = _unit()
        children = sum(os.times()[2:4])
        start = time.process_time()
        model = fit(np.array(images), np.array(labels), np.random.default_rng(0))
        taken = time.process_time() - start + sum(os.times()[2:4]) - children
    assert not multiprocessing.active_children(), f"{fit.__name__} must not start other processes"
    return taken / unit, model


@contextlib.contextmanager
def _one_processor():
    """Threads of the matrix products would wait for each other, and the waiting would count as processor time."""
    import joblib
    import threadpoolctl

    with threadpoolctl.threadpool_limits(1), joblib.parallel_config(backend="sequential"):
        yield


def _unit():
    """Seconds of processor time for a fixed piece of work of the kinds that readers do: the fastest of three."""
    rng = np.random.default_rng(0)
    table, image = rng.random((200, 784), dtype=np.float32), rng.random((28, 28), dtype=np.float32)
    taken = []
    for _ in range(3):
        start = time.process_time()
        for _ in range(100):
            ndimage.affine_transform(image, np.eye(2), offset=[0.5, 0.5], order=1)
        for _ in range(2):
            np.exp(-0.01 * (table @ table.T)).argsort(axis=1)
        taken.append(time.process_time() - start)
    return max(min(taken), 1e-4)


def _packed(value, module):
    """Pickle a value; return its copy from the bytes, how many they are, and the notebook's functions met in it.

    Functions and classes of the notebook are code, not data: they are left out of the bytes.
    """
    code = []

    class Pickler(pickle.Pickler):
        def persistent_id(self, one):
            if isinstance(one, (types.FunctionType, type)) and one.__module__ == module:
                code.append(one)
                return len(code) - 1
            return None

    class Unpickler(pickle.Unpickler):
        def persistent_load(self, place):
            return code[place]

    stored = io.BytesIO()
    Pickler(stored, protocol=5).dump(value)
    return Unpickler(io.BytesIO(stored.getvalue())).load(), len(stored.getvalue()), code


def _data_of(functions):
    """The data that functions of the notebook use beside their arguments, also by way of other functions: name -> value."""
    found, seen, waiting = {}, set(), list(functions)

    def meet(name, value):
        if isinstance(value, type) and value.__module__ == functions[0].__module__:
            waiting.extend(one for one in vars(value).values() if isinstance(one, types.FunctionType))
        elif isinstance(value, types.FunctionType):
            if value.__globals__ is functions[0].__globals__:
                waiting.append(value)
        elif not (
            callable(value)
            or isinstance(value, (types.ModuleType, numbers.Number, type(None)))
            or (isinstance(value, str) and len(value) < 200)
        ):
            found[name] = value

    while waiting:
        function = waiting.pop()
        if isinstance(function, type):
            meet(function.__name__, function)
            continue
        if id(function) in seen:
            continue
        seen.add(id(function))
        kept = [*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()]
        for place, value in enumerate(kept):
            meet(f"default {place} of {function.__name__}", value)
        for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
            with contextlib.suppress(ValueError):  # an empty cell
                meet(name, cell.cell_contents)
        codes = [function.__code__]
        while codes:
            code = codes.pop()
            codes += [one for one in code.co_consts if isinstance(one, types.CodeType)]
            for step in dis.get_instructions(code):
                if step.opname in ("LOAD_GLOBAL", "LOAD_NAME") and step.argval in function.__globals__:
                    meet(step.argval, function.__globals__[step.argval])
    return found

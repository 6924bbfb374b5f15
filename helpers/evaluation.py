"""Measures that more than one chapter uses. They know nothing of data files or models: arrays in, numbers out."""

import numpy as np


def wilson_interval(correct, n, confidence=0.95):
    """Wilson's score interval of a share ``correct / n`` (Wilson 1927), by statsmodels.

    Parameters
    ----------
    correct, n : int
    confidence : float
        How often, over repeated samples, such an interval holds the true share.

    Returns
    -------
    low, high : float, in 0..1

    Raises
    ------
    ValueError
        If ``n`` is not positive, or ``correct`` not within 0..n.
    """
    from statsmodels.stats.proportion import proportion_confint

    if n <= 0 or not 0 <= correct <= n:
        raise ValueError(f"{correct} correct of {n} is not a share")
    low, high = proportion_confint(int(correct), int(n), alpha=1 - confidence, method="wilson")
    return float(low), float(high)


def mcnemar_test(correct_a, correct_b):
    """McNemar's exact test of two classifiers on the same images (Dietterich 1998), by statsmodels.

    Parameters
    ----------
    correct_a, correct_b : bool (n,)
        Whether each classifier got each image right.

    Returns
    -------
    only_a, only_b : int
        Images that only the one, only the other got right.
    p_value : float
        Exact and two-sided: how often chance alone would split the disagreements at least this unevenly.

    Raises
    ------
    ValueError
        If the two arrays differ in shape.
    """
    from statsmodels.stats.contingency_tables import mcnemar

    correct_a, correct_b = np.asarray(correct_a, bool), np.asarray(correct_b, bool)
    if correct_a.shape != correct_b.shape:
        raise ValueError(f"the classifiers were tested on different images: {correct_a.shape} and {correct_b.shape}")
    only_a, only_b = int((correct_a & ~correct_b).sum()), int((~correct_a & correct_b).sum())
    table = [[int((correct_a & correct_b).sum()), only_a], [only_b, int((~correct_a & ~correct_b).sum())]]
    return only_a, only_b, float(mcnemar(table, exact=True).pvalue)


def _probabilities_and_labels(probabilities, labels):
    """Return both as arrays (float64 and int), or raise ValueError where they do not fit together."""
    probabilities, labels = np.asarray(probabilities, np.float64), np.asarray(labels)
    if probabilities.ndim != 2 or labels.shape != probabilities.shape[:1] or not len(labels):
        raise ValueError(f"needs probabilities (n, K) and labels (n,), not {probabilities.shape} and {labels.shape}")
    if not np.allclose(probabilities.sum(axis=1), 1, atol=1e-4) or probabilities.min() < 0:
        raise ValueError("each row of probabilities must be non-negative and sum to 1: are these logits?")
    return probabilities, labels.astype(int)


def expected_calibration_error(probabilities, labels, bins=15):
    """Expected calibration error: how far confidence and accuracy lie apart (Guo et al. 2017).

    The images are sorted into bins of equal width by the largest probability of each row. Returned is the mean, over
    the images, of their bin's absolute difference between mean confidence and share of right answers.

    Parameters
    ----------
    probabilities : float (n, K), rows sum to 1
    labels : int (n,)
    bins : int

    Returns
    -------
    float, in 0..1

    Raises
    ------
    ValueError
        If the shapes do not fit, or the rows are no probabilities.
    """
    probabilities, labels = _probabilities_and_labels(probabilities, labels)
    confidence = probabilities.max(axis=1)
    excess = confidence - (probabilities.argmax(axis=1) == labels)
    which = np.minimum((confidence * bins).astype(int), bins - 1)
    return float(np.abs(np.bincount(which, weights=excess, minlength=bins)).sum() / len(labels))


def with_temperature(probabilities, temperature):
    """Divide the logits by a temperature and apply softmax again; above 1 it makes confident answers less so.

    The logits are recovered as the logarithms of the probabilities, which differ from them by a constant per row:
    softmax does not see it.

    Parameters
    ----------
    probabilities : float (n, K)
    temperature : float, positive

    Returns
    -------
    float64 (n, K), rows sum to 1
    """
    if not temperature > 0:
        raise ValueError(f"a temperature is positive, not {temperature}")
    logits = np.log(np.maximum(np.asarray(probabilities, np.float64), 1e-38)) / temperature
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


def fit_temperature(probabilities, labels):
    """Return the temperature in 0.1..10 that gives ``labels`` the smallest cross-entropy (Guo et al. 2017).

    Fit it on validation images, never on those that the network was trained or is tested on.

    Parameters
    ----------
    probabilities : float (n, K), rows sum to 1
    labels : int (n,)

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If the shapes do not fit, or the rows are no probabilities.
    """
    from scipy.optimize import minimize_scalar

    probabilities, labels = _probabilities_and_labels(probabilities, labels)

    def cross_entropy(log_temperature):
        p = with_temperature(probabilities, np.exp(log_temperature))[np.arange(len(labels)), labels]
        return -np.log(np.maximum(p, 1e-300)).mean()

    return float(np.exp(minimize_scalar(cross_entropy, bounds=(np.log(0.1), np.log(10)), method="bounded").x))

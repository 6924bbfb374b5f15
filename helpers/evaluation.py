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

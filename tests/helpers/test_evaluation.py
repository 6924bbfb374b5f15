"""helpers/evaluation.py: intervals and paired tests, held against formulas written by hand."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.evaluation import mcnemar_test, wilson_interval

untimed = settings(deadline=None)  # the first call imports statsmodels, which takes seconds on a busy machine
Z = 1.959963984540054  # the 0.975 quantile of the normal distribution


@st.composite
def shares(draw):
    n = draw(st.integers(1, 100_000))
    return draw(st.integers(0, n)), n


@st.composite
def answers(draw, least=1, most=60):
    """Two classifiers' right and wrong answers on the same images."""
    n = draw(st.integers(least, most))
    row = st.lists(st.booleans(), min_size=n, max_size=n)
    return np.array(draw(row)), np.array(draw(row))


# ---------------------------------------------------------------- Wilson


@untimed
@given(shares())
def test_wilson_solves_its_equation(share):
    """Both ends p satisfy |k/n - p| = z sqrt(p(1-p)/n): the definition, not the formula that statsmodels uses."""
    correct, n = share
    low, high = wilson_interval(correct, n)
    assert 0 <= low <= correct / n + 1e-12 and correct / n - 1e-12 <= high <= 1
    for end in (low, high):
        assert (correct / n - end) ** 2 == pytest.approx(Z**2 * end * (1 - end) / n, rel=1e-6, abs=1e-12)


def test_wilson_known_values():
    assert wilson_interval(9740, 10_000) == pytest.approx((0.970689, 0.976944), abs=1e-5)
    assert wilson_interval(5, 5) == pytest.approx((0.565518, 1.0), abs=1e-5)
    low, high = wilson_interval(50, 100, confidence=0.5)
    assert 0.45 < low < 0.5 < high < 0.55


@untimed
@given(shares())
def test_wilson_mirrors(share):
    correct, n = share
    low, high = wilson_interval(correct, n)
    assert wilson_interval(n - correct, n) == pytest.approx((1 - high, 1 - low), abs=1e-9)


@pytest.mark.parametrize(("correct", "n"), [(1, 0), (-1, 10), (11, 10), (0, -3)])
def test_wilson_refuses_what_is_no_share(correct, n):
    with pytest.raises(ValueError, match="share"):
        wilson_interval(correct, n)


# ---------------------------------------------------------------- McNemar


@untimed
@given(answers())
def test_mcnemar_is_a_fair_coin(pair):
    a, b = pair
    only_a, only_b, p_value = mcnemar_test(a, b)
    assert only_a == sum(x and not y for x, y in zip(a, b, strict=True))
    assert only_b == sum(y and not x for x, y in zip(a, b, strict=True))
    tosses = only_a + only_b
    tail = sum(math.comb(tosses, k) for k in range(min(only_a, only_b) + 1)) / 2**tosses
    assert p_value == pytest.approx(min(1.0, 2 * tail))


@untimed
@given(answers())
def test_mcnemar_is_symmetric(pair):
    a, b = pair
    only_a, only_b, p_value = mcnemar_test(a, b)
    assert mcnemar_test(b, a) == (only_b, only_a, pytest.approx(p_value))
    assert mcnemar_test(a, a) == (0, 0, 1.0)


@untimed
@given(answers(least=2), st.randoms(use_true_random=False))
def test_mcnemar_ignores_the_order_of_images(pair, random):
    a, b = pair
    order = list(range(len(a)))
    random.shuffle(order)
    assert mcnemar_test(a[order], b[order]) == mcnemar_test(a, b)


@pytest.mark.parametrize("shapes", [((3,), (4,)), ((3,), (3, 1)), ((0,), (1,))])
def test_mcnemar_refuses_different_images(shapes):
    with pytest.raises(ValueError, match="different images"):
        mcnemar_test(np.zeros(shapes[0], bool), np.zeros(shapes[1], bool))

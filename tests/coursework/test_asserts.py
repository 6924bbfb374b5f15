"""What the check of the graders says about asserts: each that no wrong answer is refused by alone is named.

The assignment here is made up and small; the six real ones are checked in test_cases.py.
"""

import ast

import pytest
import tiny_class

from coursework.make import asserts, check
from coursework.make.notebooks import load_module

# The task: half(x) returns half of the number x, at least 0, as a float.
TEST = """
def check_half(x, want):
    assert half(x) == want, "not half"

check_half(4, 2)
### BEGIN HIDDEN TESTS
for hidden_x in (3, 5):
    got = half(hidden_x)
    assert isinstance(got, float) and got == hidden_x / 2, "of an odd number, as a float"
assert abs(half(1e6 + 0.5) - 500000.25) < 0.01, "of a large number"
assert 0 <= half(-7) < 1, "of a negative number"
check_half(0, 0)
### END HIDDEN TESTS
"""
WRONG = {
    "a string of its digits, where it is odd": "half = lambda x: HalfOf(max(x, 0) / 2) if x % 2 == 1 else max(x, 0) / 2",
    "whole numbers": "half = lambda x: float(max(x, 0) // 2) if x == 3 else max(x, 0) / 2",
    "rounded": "half = lambda x: max(round(x / 2, 1), 0.0)",
    "below 0": "half = lambda x: x / 2",
    "the size": "half = lambda x: abs(x) / 2",
    "never 0": "half = lambda x: max(x / 2, 0.0) if x else 0.5",
    "a helper of the visible part": "half = lambda x: max(x, 0) / 2 + (x in (4, 0))",
}
# something that equals a float and is none
HALF_OF = "class HalfOf(int):\n    def __new__(cls, v):\n        one = int.__new__(cls, v)\n        one.v = v\n        return one\n"
HALF_OF += "    def __eq__(self, other):\n        return self.v == other\n    __hash__ = None\n"


def faults(test=TEST, wrong=WRONG, implied=(), beside=()):
    """What `unproven` says after all wrong answers have run against a test, as one text."""
    recording, proven = asserts.Recording(test, beside), set()
    for code in wrong.values():
        namespace = {}
        exec(HALF_OF + code, namespace)
        assert recording.run("<test>", namespace), f"not refused at all: {code}"
        proven |= recording.proved
    return asserts.unproven(recording.parts, proven, dict(implied))


def without(*names):
    return {name: code for name, code in WRONG.items() if name not in names}


def test_a_complete_set_of_wrong_answers_passes():
    assert faults() == []


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("a string of its digits, where it is odd", ["line 9: isinstance(got, float)"]),  # the first conjunct
        ("whole numbers", ["line 9: got == hidden_x / 2"]),  # the second
        ("below 0", ["line 11: 0 <= half(-7)"]),  # one link of a chain
        ("the size", ["line 11: half(-7) < 1", "line 11: if widened to: half(-7) < 10.0"]),
        ("never 0", ["line 12: without the line: check_half(0, 0)"]),  # a hidden call of a visible function
    ],
)
def test_an_assert_or_a_part_of_one_without_a_wrong_answer_of_its_own_is_named(name, said):
    assert faults(wrong=without(name)) == [f"no wrong answer is refused by this alone: {one}" for one in said]


def test_the_assert_of_a_visible_function_that_hidden_tests_call_needs_one_too():
    left = without("never 0", "a helper of the visible part")
    assert "no wrong answer is refused by this alone: line 3: half(x) == want" in faults(wrong=left)


def test_an_assert_that_only_comes_with_another_is_named():
    more = TEST.replace("### END", 'assert half(6) == 3, "of an even number"\n### END')
    assert faults(more) == ["no wrong answer is refused by this alone: line 13: half(6) == 3"]


def test_a_tolerance_without_a_near_miss_is_named():
    far = {**WRONG, "rounded": "half = lambda x: max(x / 2, 0.0) + (x > 1e6)"}  # off by 1: too far for ten times 0.01
    said = faults(wrong=far)
    assert said == [
        "no wrong answer is refused by this alone: line 10: if widened to: abs(half(1000000.0 + 0.5) - 500000.25) < 0.1"
    ]


def test_an_answer_that_stops_with_an_error_proves_no_assert():
    broken = {**WRONG, "below 0": "def half(x):\n    if x == 5:\n        raise ValueError\n    return x / 2"}
    assert any("0 <= half(-7)" in one for one in faults(wrong=broken))


def test_an_error_in_evaluating_an_assert_refuses():
    raising = {**WRONG, "below 0": "def half(x):\n    return x / 2 if x != -7 else nothing"}
    assert any("0 <= half(-7)" in one for one in faults(wrong=raising)), "both links raise, so neither is alone"
    alone = TEST.replace("assert 0 <= half(-7) < 1", "assert half(-7) == 0")
    assert faults(alone, {**without("the size"), **raising}) == []


def test_a_reason_excuses_and_must_be_needed_and_fit():
    left = without("below 0")
    assert faults(wrong=left, implied={"0 <= half(-7)": "a reason"}) == []
    assert "take the row out" in faults(implied={"0 <= half(-7)": "a reason"})[0]
    assert "no assert says" in faults(implied={"0 <= third(-7)": "a reason"})[0]


def test_a_hidden_line_that_calls_a_file_beside_the_notebook_needs_a_wrong_answer():
    more = TEST.replace("### END", "lab.weigh(half)\n### END")
    assert any("without the line: lab.weigh(half)" in one for one in recorded_with_lab(more))


def recorded_with_lab(test):
    """The same with a module ``lab`` whose test every answer passes."""
    recording, proven = asserts.Recording(test, {"lab"}), set()
    lab = type("lab", (), {"weigh": staticmethod(lambda half: None)})
    for code in WRONG.values():
        namespace = {"lab": lab}
        exec(HALF_OF + code, namespace)
        recording.run("<test>", namespace)
        proven |= recording.proved
    return asserts.unproven(recording.parts, proven, {})


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("np.allclose(a, b)", ["np.allclose(a, b, rtol=0.0001, atol=1e-07)"]),
        ("np.allclose(a, b, rtol=1e-3, atol=1e-4)", ["np.allclose(a, b, rtol=0.01, atol=0.0001)", "np.allclose(a, b, rtol=0.001, atol=0.001)"]),
        ("np.isclose(a, b, rtol=1e-8, atol=0)", ["np.isclose(a, b, rtol=1e-07, atol=0)"]),
        ("all(np.isclose(a, b, atol=t) for a in c)", ["all((np.isclose(a, b, atol=t * 10) for a in c))"]),
        ("np.abs(a - b).max() < 2 * s", ["np.abs(a - b).max() < 2 * s * 10"]),
        ("a < -1.5", ["a < -0.15"]),
        ("a > -1e-9", ["a > -1e-08"]),
        ("5 * 10**6 >= a", ["50000000.0 >= a"]),
        ("a > 0", []),
        ("a < b", []),
        ("a == 3", []),
        ("not np.isclose(a, b)", []),
    ],
)  # fmt: skip
def test_what_counts_as_a_wider_tolerance(condition, expected):
    tree = ast.parse(condition, mode="eval").body
    assert [ast.unparse(ast.fix_missing_locations(one)) for one in asserts.wider(tree)] == expected


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("a and b and c", ["a", "b", "c"]),
        ("a < b <= c", ["a < b", "b <= c"]),
        ("not (a or b)", ["not a", "not b"]),
        ("all(x and y for x, y in z)", ["all((x for x, y in z))", "all((y for x, y in z))"]),
        ("a or b", ["a or b"]),
    ],
)
def test_what_counts_as_a_part(condition, expected):
    tree = ast.parse(condition, mode="eval").body
    assert [ast.unparse(ast.fix_missing_locations(one)) for one in asserts.conjuncts(tree)] == expected


def test_the_check_names_task_and_line(monkeypatch):
    cases = load_module("tiny", "cases.py", tiny_class.SOURCES).CASES
    told = {what: fault for what, _, fault in check.check("tiny", sources=tiny_class.SOURCES)}
    assert not [fault for fault in told.values() if fault], "the tiny assignment is complete"
    refused_before = {str(one): f"def count_dark(image, limit):\n    return {one}" for one in (0, 5, 9)}
    weaker = {**cases, "count_dark": {**cases["count_dark"], "wrong": refused_before}}
    real = check.load_module

    def load(name, file, *rest):
        return type("Planted", (), {"CASES": weaker}) if file == "cases.py" else real(name, file, *rest)

    monkeypatch.setattr(check, "load_module", load)
    told = {what: fault for what, _, fault in check.check("tiny", sources=tiny_class.SOURCES)}
    [(what, fault)] = [(what, fault) for what, fault in told.items() if fault]
    assert what.startswith("count_dark, asserts:") and "line 4: count_dark(borderline_image, 8) == 2" in fault

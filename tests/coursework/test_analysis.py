"""The item analysis: its numbers against plain formulas, and the page that shows them."""

import collections
import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from bs4 import BeautifulSoup
from tiny_class import CASES, NAME, RIGHT, answered, hand_in, make_course, released

from coursework.grade import analysis, measure, run
from coursework.grade.analysis import Item


def test_discrimination_leaves_the_task_itself_out():
    random = np.random.default_rng(5)
    points, rest = random.normal(size=400), random.normal(size=400)
    r, low, high = analysis.correlation(points, rest + 0.5 * points)
    assert r == pytest.approx(np.corrcoef(points, rest + 0.5 * points)[0, 1])
    assert low < r < high and (high - low) == pytest.approx(4 * (1 - r**2) / 20, rel=0.1)
    items = [Item("a", 1, False, points), Item("b", 1, False, rest)]
    total, rests = analysis.totals(items)
    np.testing.assert_allclose(total, points + rest)
    np.testing.assert_allclose(rests, [rest, points])
    # of unrelated tasks the uncorrected correlation would be far from 0
    assert abs(analysis.correlation(points, rests[0])[0]) < 0.15 < np.corrcoef(points, total)[0, 1] - 0.4


def test_the_interval_holds_the_truth_as_often_as_it_says():
    random = np.random.default_rng(6)
    truth, held = 0.4, 0
    for _ in range(400):
        one = random.normal(size=40)
        other = truth * one + np.sqrt(1 - truth**2) * random.normal(size=40)
        _, low, high = analysis.correlation(one, other)
        held += low < truth < high
    assert 0.92 <= held / 400 <= 0.98


@pytest.mark.parametrize(
    "points,rest",
    [
        (np.ones(50), np.arange(50.0)),
        (np.arange(50.0), np.ones(50)),
        (np.arange(9.0), np.arange(9.0)),
        (np.full(50, np.nan), np.arange(50.0)),
    ],
)
def test_a_correlation_that_says_nothing_is_left_out(points, rest):
    assert analysis.correlation(points, rest) is None


def test_missing_marks_are_left_out():
    points = np.array([1.0, np.nan, 0, 2, 2])
    assert analysis.shares(Item("w", 2, True, points)) == (0.5, 0.25, 0.25)
    assert np.isnan(analysis.shares(Item("w", 2, True, np.full(3, np.nan)))).all()


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """Grade a class of fourteen, known in each answer, and return the analysis as (text, parsed)."""
    folder = tmp_path_factory.mktemp("analysis")
    course = make_course(folder / "coursework")
    blank = released(course)
    wrong = CASES["count_dark"]["wrong"]["at least"]
    for number in range(14):
        answers = {**RIGHT, "written_ink": "Because <script>alert(1)</script>."}
        if number < 4:
            answers["count_dark"] = wrong
        if number == 5:
            answers["middle_row"] = "def middle_row(image):\n    raise ValueError('<b>a student wrote this</b>')"
        if number == 6:
            del answers["middle_row"], answers["written_ink"]
        hand_in(answered(blank, answers), folder / "in" / f"student{number:02d}")
    run.grade(NAME, course, folder / "in", quiet=True, feedback=False)
    assert analysis.main([NAME, "--course", str(course)]) == 0
    text = (course / "analysis" / f"{NAME}.html").read_text()
    return text, BeautifulSoup(text, "html.parser")


def test_the_table_of_tasks(page):
    rows = {row.th.code.text: [cell.text for cell in row("td")] for row in page[1].find("table").tbody("tr")}
    assert rows["ink_of"][:4] == ["3", "3.00", "100 %", "100 %"] and rows["ink_of"][-1] == "0"
    assert rows["count_dark"][:4] == ["4", "2.86", "71 %", "71 %"]
    assert rows["middle_row"][:2] == ["5", "4.29"] and rows["middle_row"][-1] == "1"
    assert rows["written_ink"][:2] == ["4", "0.00"] and rows["written_ink"][-1] == "1"  # the blank one alone has a mark
    assert "13 wait for the mark of a written answer" in page[1].text


def test_failed_tests_are_counted(page):
    table = page[1].find("caption", string="Failed tests of count_dark").parent
    assert [cell.text for cell in table.tbody("td")] == ["4", "a pixel that equals the limit is not above it"]
    table = page[1].find("caption", string="Failed tests of middle_row").parent
    assert sorted(cell.text for cell in table.tbody("td")) == [
        "1",
        "1",
        "NotImplementedError: this task is still open: write your code in place of this line",
        "ValueError: <b>a student wrote this</b>",
    ]


def test_the_page_stands_alone_without_names_or_scripts(page):
    text, parsed = page
    assert not re.search(r"student\d\d|<script|Because", text)
    assert not [one for one in parsed.find_all(src=True)] and not re.search(r"(href|url)\(?=?['\"]?https?:", text)
    assert "prefers-color-scheme: dark" in text and "currentColor" in text


def test_pictures_have_alternatives_and_tables_have_headings(page):
    pictures = page[1].find_all("svg")
    assert len(pictures) >= 2
    for one in pictures:
        assert one["role"] == "img" and len(one["aria-label"]) > 30
    assert re.search(r"count_dark 71 %", page[0])
    for table in page[1].find_all("table"):
        assert table.caption.text and all(head.get("scope") for head in table("th"))
    ids = collections.Counter(one["id"] for one in page[1].find_all(id=True))
    assert ids and ids.most_common(1)[0][1] == 1
    svg = page[0][page[0].index("<svg") : page[0].index("</svg>") + 6]
    ElementTree.fromstring(svg)
    for used in re.findall(r'(?:href="#|url\(#)([\w-]+)', page[0]):
        assert used in ids


def test_nothing_graded_is_said(tmp_path, capsys):
    course = make_course(tmp_path / "coursework")
    assert analysis.main([NAME, "--course", str(course)]) == 1
    assert "grade first" in capsys.readouterr().err


def test_a_made_up_class_is_the_same_each_time_and_mixed(tmp_path):
    course = make_course(tmp_path / "coursework")
    blank = released(course)
    one, two = (measure.made_up_class(blank, CASES, 30, seed=1) for _ in range(2))
    assert one == two and len(one) == 30
    sources = ["\n".join(cell.source for cell in notebook.cells) for notebook in one.values()]
    assert sum(any(code in source for code in measure.HOSTILE.values()) for source in sources) == 3
    assert measure.growth([{"students": 10, "seconds": 5}, {"students": 20, "seconds": 10}]) == 1

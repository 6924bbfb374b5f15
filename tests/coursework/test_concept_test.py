"""The concept test: its forms and its key fit together, and its scores are right."""

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from coursework.grade import concept_test_scores as scores
from scipy import stats

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "coursework" / "concept_test"
ITEMS = scores.read_key()
TEXTS = {form: (FOLDER / f"form_{form.lower()}.md").read_text(encoding="utf-8") for form in scores.FORMS}
CHAPTERS = {path.stem for path in (ROOT / "chapters").glob("*.ipynb")}


def questions(text):
    """The questions of a sheet: a list of (number, stem, {letter: choice})."""
    found = []
    for block in re.split(r"^## ", text, flags=re.M)[1:]:
        number, rest = block.split("\n", 1)
        choices = re.findall(r"^- (\w)\. (.+)$", rest, re.M)
        stem = re.split(r"^- ", rest, maxsplit=1, flags=re.M)[0]
        assert len(dict(choices)) == len(choices), f"question {number} has a letter twice"
        found.append((number.strip(), " ".join(stem.split()), dict(choices)))
    return found


FORMS = {form: questions(text) for form, text in TEXTS.items()}


# ---------------------------------------------------------------- the sheets and their key


@pytest.mark.parametrize("form", scores.FORMS)
def test_a_form_has_the_items_of_the_key_and_four_choices_each(form):
    assert [number for number, _, _ in FORMS[form]] == [str(item.number) for item in ITEMS]
    assert all(list(choices) == list(scores.LETTERS) for _, _, choices in FORMS[form])
    for item, (_, stem, choices) in zip(ITEMS, FORMS[form], strict=True):
        assert item.right[form] in choices
        assert stem.endswith(("?", "be", "probably")), stem
        assert len(set(choices.values())) == len(choices)


def test_the_forms_are_parallel_and_not_equal():
    assert len(FORMS["A"]) == len(FORMS["B"]) == len(ITEMS)
    introductions = [re.split(r"^## ", text, maxsplit=1, flags=re.M)[0].split("\n", 1) for text in TEXTS.values()]
    assert introductions[0][1] == introductions[1][1], "both sheets say the same before the first question"
    for item, (_, stem_a, a), (_, stem_b, b) in zip(ITEMS, FORMS["A"], FORMS["B"], strict=True):
        assert stem_a != stem_b
        assert item.right["A"] != item.right["B"], (
            f"item {item.number}: the letter may not carry over from form to form"
        )
        assert a != b
        lengths = sorted([len(stem_a), len(stem_b)])
        assert lengths[1] < 1.5 * lengths[0] + 40, f"item {item.number}: one form asks at much greater length"


def test_the_key_gives_nothing_away_by_letter_or_length():
    for form in scores.FORMS:
        letters = Counter(item.right[form] for item in ITEMS)
        assert set(letters) == set(scores.LETTERS) and max(letters.values()) - min(letters.values()) <= 1
        longest = [
            item.number
            for item, (_, _, choices) in zip(ITEMS, FORMS[form], strict=True)
            if max(choices, key=lambda letter, choices=choices: len(choices[letter])) == item.right[form]
        ]
        assert len(longest) <= len(ITEMS) / 3, f"form {form}: the right answer is the longest in {longest}"


@pytest.mark.parametrize("form", scores.FORMS)
def test_a_sheet_does_not_mark_the_right_answer(form):
    for _, _, choices in FORMS[form]:
        assert not any(re.search(r"[*_`<]|\bright answer\b", choice) for choice in choices.values())
    assert not re.search(r"\bkey\b|solution", TEXTS[form], re.I)


def test_every_chapter_is_asked_about():
    assert {item.chapter for item in ITEMS} == CHAPTERS


def test_every_wrong_choice_is_explained_to_the_teacher():
    text = (FOLDER / "key.md").read_text(encoding="utf-8").split("## What a wrong answer may mean")[1]
    number, explained = 0, {form: {item.number: "" for item in ITEMS} for form in scores.FORMS}
    for row in re.findall(r"^\| (\d*) ?\| ([a-d, ]*) ?\| ([a-d, ]*) ?\| [^|]+ \|$", text, re.M):
        number = int(row[0] or number)
        for form, letters in zip(scores.FORMS, row[1:], strict=True):
            explained[form][number] += re.sub(r"[, ]", "", letters)
    for form in scores.FORMS:
        for item in ITEMS:
            wrong = "".join(letter for letter in scores.LETTERS if letter != item.right[form])
            assert "".join(sorted(explained[form][item.number])) == wrong, f"item {item.number}, form {form}"


def test_the_arithmetic_of_the_items_is_right():
    from statsmodels.stats.proportion import proportion_confint as interval

    assert np.allclose(interval(90, 100, method="wilson"), (0.83, 0.94), atol=0.006)
    widths = [np.subtract(*interval(n * 9 // 10, n, method="wilson")[::-1]) for n in (100, 400)]
    assert widths[0] / widths[1] == pytest.approx(2, abs=0.1)
    for n, half in ((10_000, 0.003), (2_500, 0.006)):
        assert np.subtract(*interval(round(0.975 * n), n, method="wilson")[::-1]) / 2 == pytest.approx(half, abs=2e-4)
    assert 1000 - 20 > 1000 - (40 - 18) - (20 - 18) and 2000 - 50 > 2000 - (100 - 45) - (50 - 45)
    assert 900 + 50 + 40 + 10 == 1000 and 440 + 20 + 10 + 30 == 500
    assert stats.binomtest(10, 50).pvalue < 0.001 and stats.binomtest(10, 40).pvalue < 0.01


@pytest.mark.parametrize(
    ("old", "new"),
    [("| 2 | d | a |", "| 2 | e | a |"), ("| 2 | d | a |", "| 3 | d | a |"), ("| 1 | b | c |", "| b | c |")],
)
def test_a_damaged_key_is_noticed(tmp_path, old, new):
    text = (FOLDER / "key.md").read_text(encoding="utf-8")
    assert old in text
    (tmp_path / "key.md").write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(scores.AnswerError):
        scores.read_key(tmp_path / "key.md")


# ---------------------------------------------------------------- scores


def row(student, when, form, right, wrong="x"):
    """A line of the file with the first ``right`` items right; ``wrong`` is a letter, or "x" for any that is wrong."""
    letters = [
        item.right[form]
        if item.number <= right
        else wrong
        if wrong != "x"
        else next(letter for letter in "abcd" if letter != item.right[form])
        for item in ITEMS
    ]
    return ",".join([student, when, form, *letters])


HEADER = "student,when,form," + ",".join(f"q{item.number}" for item in ITEMS)
#: (before, after) in items of six students, the first three with form A first
CLASS = [(3, 8), (4, 6), (2, 9), (5, 7), (3, 3), (6, 11)]


def lines_of(pairs, crossed=True):
    """A file's lines for these scores."""
    lines = [HEADER]
    for number, (before, after) in enumerate(pairs):
        first = "B" if crossed and number >= len(pairs) / 2 else "A"
        lines.append(row(f"S{number}", "before", first, before))
        lines.append(row(f"S{number}", "after", "A" if first == "B" else "B", after))
    return lines


@pytest.fixture
def answers(tmp_path):
    """Write lines into a file and return its path."""

    def write(lines, encoding="utf-8"):
        path = tmp_path / "answers.csv"
        path.write_bytes("\n".join(lines).encode(encoding))
        return path

    return write


def pairs_in(path, **options):
    """The pairs of a file."""
    return scores.pair(scores.read_answers(path, len(ITEMS)), **options)[0]


def test_marks_follow_the_key_of_the_form(answers):
    found = pairs_in(answers(lines_of(CLASS)))
    assert [(scores.marks(a, ITEMS).sum(), scores.marks(b, ITEMS).sum()) for a, b in found] == CLASS
    other = {form: [row("S", "before", form, 12)] for form in scores.FORMS}
    swapped = [HEADER, other["A"][0].replace("before,A", "before,B"), row("S", "after", "A", 12)]
    (before, after) = pairs_in(answers(swapped))[0]
    assert scores.marks(before, ITEMS).sum() == 0 and scores.marks(after, ITEMS).sum() == 12


def test_the_paired_interval_is_student_s():
    group = np.array(CLASS, dtype=float)
    result = scores.gain([group], 12)
    difference = group[:, 1] - group[:, 0]
    assert result.difference == pytest.approx(difference.mean())
    assert result.difference_interval == pytest.approx(tuple(stats.ttest_1samp(difference, 0).confidence_interval()))
    assert result.degrees == pytest.approx(len(group) - 1) and result.easier is None


def test_two_orders_give_welch_s_interval():
    groups = [np.array(CLASS[:3], dtype=float), np.array([*CLASS[3:], (4, 10)], dtype=float)]
    result = scores.gain(groups, 12)
    plus, minus = (group[:, 1] - group[:, 0] for group in groups)
    low, high = stats.ttest_ind(plus, minus, equal_var=False).confidence_interval()
    assert result.easier == pytest.approx((plus.mean() - minus.mean()) / 2)
    assert result.easier_interval == pytest.approx((low / 2, high / 2))
    assert result.difference == pytest.approx((plus.mean() + minus.mean()) / 2)
    assert np.ptp(result.difference_interval) == pytest.approx(np.ptp((low, high)) / 2)


def test_a_harder_form_cancels_out_when_every_second_student_begins_with_it():
    rng = np.random.default_rng(5)
    learnt, harder = 4, 2  # items; form B is the harder one
    before = rng.integers(2, 7, size=(2, 20))
    a_first = np.stack([before[0], before[0] + learnt - harder], axis=1)
    b_first = np.stack([before[1] - harder, before[1] + learnt], axis=1)
    fair = scores.gain([a_first, b_first], 12)
    assert fair.difference == pytest.approx(learnt) and fair.easier == pytest.approx(-harder)
    assert scores.gain([a_first], 12).difference == pytest.approx(learnt - harder), "with one order it hides"


def test_the_normalised_gain_is_the_share_of_what_was_left():
    result = scores.gain([np.array([(2, 7), (4, 9)], dtype=float)], 12)
    assert result.normalised == pytest.approx((8 - 3) / (12 - 3))
    assert scores.normalised_gain(3, 12, 12) == 1 and scores.normalised_gain(3, 3, 12) == 0
    assert scores.normalised_gain(6, 3, 12) == -0.5 and np.isnan(scores.normalised_gain(12, 12, 12))
    full = scores.gain([np.array([(12, 12), (12, 11)], dtype=float)], 12)
    assert full.normalised is None and full.normalised_interval is None
    some = scores.gain([np.array([(12, 12), (3, 9)], dtype=float)], 12)
    assert some.normalised is not None and some.normalised_interval is None


def test_both_intervals_hold_the_truth_about_as_often_as_they_say():
    rng = np.random.default_rng(11)
    before_p, after_p, n, runs = 0.35, 0.7, 40, 200
    truth = (after_p - before_p) / (1 - before_p)
    held = np.zeros(2)
    for _ in range(runs):
        ability = rng.normal(0, 0.1, size=n)
        group = np.stack([rng.binomial(12, np.clip(p + ability, 0, 1)) for p in (before_p, after_p)], axis=1)
        result = scores.gain([group], 12, resamples=400)
        held += [
            result.difference_interval[0] <= 12 * (after_p - before_p) <= result.difference_interval[1],
            result.normalised_interval[0] <= truth <= result.normalised_interval[1],
        ]
    # 95 in a hundred; of 200 intervals four standard deviations are some 12 of them
    assert (held > 0.88 * runs).all() and held[0] < runs, held


def test_the_bootstrap_keeps_a_student_s_two_scores_together():
    rng = np.random.default_rng(3)
    level = rng.integers(0, 7, size=60)
    result = scores.gain([np.stack([level, level + 4], axis=1)], 12)
    assert result.difference_interval == pytest.approx((4, 4)), "all gained the same, whatever their level"
    torn = scores.gain([np.stack([level, rng.permutation(level) + 4], axis=1)], 12)
    assert np.ptp(result.normalised_interval) < 0.7 * np.ptp(torn.normalised_interval)


def test_the_report(answers, capsys):
    lines = lines_of(CLASS)
    assert scores.main([str(answers(lines))]) == 0
    printed = capsys.readouterr().out
    before, after = np.mean(CLASS, axis=0)
    assert "6 students took both tests, 3 with form A first and 3 with form B first" in printed
    assert f"before: {before:.1f} of 12" in printed and f"after: {after:.1f}" in printed
    assert f"Normalised gain: {(after - before) / (12 - before):.2f}" in printed
    assert "not been piloted" in printed and "6 pairs" in printed and "compared with form A" in printed
    rows = [line.split() for line in printed.splitlines() if re.match(r" +\d+ +\d+%", line)]
    assert len(rows) == 12
    share = [np.mean([after >= item.number for _, after in CLASS]) for item in ITEMS]
    assert [line[2] for line in rows] == [f"{value:.0%}" for value in share]
    gained = [sum(b < item.number <= a for b, a in CLASS) for item in ITEMS]
    assert [int(line[3]) for line in rows] == gained and {line[4] for line in rows} == {"0"}
    assert not re.search(r"\bS\d\b", printed), "codes of students are not printed"


def test_the_report_says_when_the_forms_cannot_be_told_from_learning(answers, capsys):
    assert scores.main([str(answers(lines_of(CLASS, crossed=False)))]) == 0
    printed = capsys.readouterr().out
    assert "cannot be told from learning" in printed and "6 with form A first." in printed


def test_frequent_wrong_choices_are_named_with_their_form(answers, capsys):
    lines = [HEADER]
    for student in ("U", "V", "W"):
        lines += [row(student, "before", "A", 3), row(student, "after", "B", 11, wrong="d" if student != "W" else "")]
    scores.main([str(answers(lines))])
    last = [line for line in capsys.readouterr().out.splitlines() if line.startswith("  12 ")][0]
    assert "Bd 2, open 1" in last


# ---------------------------------------------------------------- files as they come


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_delimiters_capitals_blanks_and_a_byte_order_mark_are_understood(answers, delimiter):
    lines = [line.upper().replace(",", f" {delimiter}") for line in lines_of(CLASS)]
    path = answers([*lines, delimiter * (len(ITEMS) + 2), ""], encoding="utf-8-sig")
    found = pairs_in(path)
    assert [(scores.marks(a, ITEMS).sum(), scores.marks(b, ITEMS).sum()) for a, b in found] == CLASS


def test_windows_line_ends_and_columns_of_another_use_do_not_matter(answers):
    lines = ["group," + HEADER, *("1," + line for line in lines_of(CLASS)[1:])]
    assert len(pairs_in(answers(["\r\n".join(lines)]))) == len(CLASS)


def test_students_without_a_pair_stop_it_unless_they_are_left_out(answers, capsys):
    lines = [*lines_of(CLASS), row("K9", "before", "A", 4), row("K10", "after", "B", 12)]
    path = answers(lines)
    assert scores.main([str(path)]) == 1
    error = capsys.readouterr().err
    assert "2 of 8 students" in error and "K9 (after)" in error and "K10 (before)" in error
    assert "--leave-out-unpaired" in error
    assert scores.main([str(path), "--leave-out-unpaired"]) == 0
    printed = capsys.readouterr().out
    assert "6 students took both tests" in printed and "Left out" in printed and ": 2 students" in printed


def broken(change):
    """The lines of a good file after a change of one of them."""
    lines = lines_of(CLASS)
    change(lines)
    return lines


def put(place, old, new):
    """A change: in the line at ``place``, ``old`` becomes ``new`` once."""

    def change(lines):
        assert old in lines[place]
        lines[place] = lines[place].replace(old, new, 1)

    return change


FAULTS = {
    "a missing column": (put(0, ",q7,", ","), ["lacks the column q7", "student,when,form"]),
    "two missing columns": (put(0, "student,when", "name,time"), ["columns student, when"]),
    "a column named twice in place of another": (put(0, "q2", "q1"), ["lacks the column q2"]),
    "a column too many": (put(0, "q12", "q12,q13"), ["q13", "12 items"]),
    "an unknown letter": (lambda lines: lines.__setitem__(4, lines[4][:-1] + "e"), ["line 5", "'e'", "a, b, c, d"]),
    "two letters": (
        lambda lines: lines.__setitem__(3, lines[3][:-1] + "ab"),
        ["line 4", "q12 says 'ab'", "two answers"],
    ),
    "an unknown form": (put(1, ",A,", ",C,"), ["line 2", "'C'", "A or B"]),
    "an unknown time": (put(2, ",after,", ",later,"), ["line 3", "'later'", "before or after"]),
    "no code": (put(5, "S2", ""), ["line 6", "code is missing"]),
    "a short line": (lambda lines: lines.__setitem__(7, lines[7][:-2]), ["line 8", "14 entries under 15"]),
    "a sheet twice": (lambda lines: lines.append(lines[1]), ["'S0'", "lines 2 and 14"]),
    "the same form twice": (put(2, ",B,", ",A,"), ["'S0'", "form A both times"]),
    "no answers": (lambda lines: lines.__delitem__(slice(1, None)), ["holds no answers"]),
    "an empty file": (lambda lines: lines.clear(), ["lacks the columns student"]),
    "one student in an order": (lambda lines: lines.__delitem__(slice(3, 7)), ["only 1 student", "form A first"]),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_the_file_is_named_with_its_cure(answers, capsys, fault):
    change, words = FAULTS[fault]
    assert scores.main([str(answers(broken(change)))]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    for word in words:
        assert word in captured.err


def test_a_doubled_column_is_named(answers):
    with pytest.raises(scores.AnswerError, match="q1 stands twice"):
        scores.read_answers(answers([HEADER + ",q1", lines_of(CLASS)[1] + ",a"]), len(ITEMS))


def test_no_pair_at_all_is_named(answers, capsys):
    lines = [HEADER, row("K1", "before", "A", 4), row("K2", "after", "B", 9)]
    assert scores.main([str(answers(lines)), "--leave-out-unpaired"]) == 1
    assert "no student has both sheets" in capsys.readouterr().err


def test_files_that_cannot_be_read_are_named(answers, tmp_path, capsys):
    assert scores.main([str(tmp_path / "none.csv")]) == 1
    assert "none.csv cannot be read" in capsys.readouterr().err
    assert scores.main([str(tmp_path)]) == 1
    assert "cannot be read" in capsys.readouterr().err
    (tmp_path / "book.xlsx").write_bytes(b"PK\x03\x04\xff\xfe\x00")
    assert scores.main([str(tmp_path / "book.xlsx")]) == 1
    assert "CSV UTF-8" in capsys.readouterr().err


def test_it_runs_as_a_program(answers):
    command = [sys.executable, "-m", "coursework.grade.concept_test_scores", str(answers(lines_of(CLASS)))]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "Normalised gain" in done.stdout, done.stderr

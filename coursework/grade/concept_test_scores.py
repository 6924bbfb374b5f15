"""Score the concept test before and after a course: ``python -m coursework concept_test answers.csv``.

The file holds a line for each sheet: ``student,when,form,q1,q2,...``; ``when`` is before or after, ``form`` A or B, and an
answer is a letter or empty. ``concept_test/key.md`` holds the key, and says what the results can bear.
"""

from __future__ import annotations

import argparse
import csv
import io
import re
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import stats

from coursework import CONCEPT_TEST

LETTERS = "abcd"
FORMS = ("A", "B")
TIMES = ("before", "after")
SMALL_CLASS = 20  # pairs; below, the output says that the intervals are rough
RESAMPLES = 10_000

KEY_ROW = re.compile(r"^\| (\d+) \| (\w) \| (\w) \| ([^|]+) \| (\w+) \|$", re.M)


class AnswerError(Exception):
    """The key or the file of answers is not in order. The message names the place, the fault and the cure."""


@dataclass(frozen=True)
class Item:
    """One item of the test: its number, the right letter of each form, what it tests, and the chapter."""

    number: int
    right: dict[str, str]
    tests: str
    chapter: str


@dataclass(frozen=True)
class Sheet:
    """One student's sheet: ``answers`` holds a letter or "" for each item; ``line`` is its place in the file."""

    student: str
    when: str
    form: str
    answers: tuple[str, ...]
    line: int


def read_key(path=CONCEPT_TEST / "key.md"):
    """Return the items of the key, a list of :class:`Item` in order; :class:`AnswerError` if its table is out of order."""
    rows = KEY_ROW.findall(Path(path).read_text(encoding="utf-8"))
    items = [Item(int(number), {"A": a, "B": b}, tests, chapter) for number, a, b, tests, chapter in rows]
    if not items or [item.number for item in items] != list(range(1, len(items) + 1)):
        raise AnswerError(f"{path}: the key's table must number its items 1, 2, 3, ... without a gap; restore it")
    for item in items:
        if not set(item.right.values()) <= set(LETTERS):
            raise AnswerError(f"{path}: item {item.number} has a letter other than {', '.join(LETTERS)}; correct it")
    return items


def read_answers(path, n_items):
    """Return the sheets in a CSV file, a list of :class:`Sheet`.

    Commas, semicolons and tabs are understood, capitals and small letters as well. :class:`AnswerError` if the file
    cannot be read, lacks a column, or holds an entry that is none.
    """
    path = Path(path)
    text = text_of(path)
    first = text.split("\n", 1)[0]
    rows = csv.reader(io.StringIO(text), delimiter=max(",;\t", key=first.count))
    header = [name.strip().lower() for name in next(rows, [])]
    questions = [f"q{number}" for number in range(1, n_items + 1)]
    check_header(path, header, questions)
    sheets = [
        read_sheet(row, header, questions, path, rows.line_num) for row in rows if any(cell.strip() for cell in row)
    ]
    if not sheets:
        raise AnswerError(f"{path} holds no answers; write one line for each sheet below the headings")
    return sheets


def text_of(path):
    """Return the text of the file of answers; :class:`AnswerError` if it cannot be read."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise AnswerError(f"{path} cannot be read ({error.strerror}); check the name and the folder") from error
    except UnicodeDecodeError as error:
        raise AnswerError(f"{path} is not a UTF-8 text; save the table as 'CSV UTF-8', not as a workbook") from error


def check_header(path, header, questions):
    """Raise :class:`AnswerError` if the names in the first line are not those of the columns, each once."""
    wanted = ["student", "when", "form", *questions]
    if missing := [name for name in wanted if name not in header]:
        raise AnswerError(
            f"{path}: the first line lacks the column{'s' if len(missing) > 1 else ''} {', '.join(missing)}; "
            f"it should read {','.join(wanted)}"
        )
    if twice := [name for name in wanted if header.count(name) > 1]:
        raise AnswerError(f"{path}: the column {twice[0]} stands twice in the first line; delete one of the two")
    if extra := [name for name in header if re.fullmatch(r"q\d+", name) and name not in questions]:
        raise AnswerError(f"{path}: there is a column {extra[0]}, but the test has {len(questions)} items; delete it")


def read_sheet(row, header, questions, path, line):
    """Return the :class:`Sheet` in a row of the table; :class:`AnswerError` if something in it is no entry."""
    where = f"{path}, line {line}"
    if len(row) != len(header):
        raise AnswerError(
            f"{where}: {len(row)} entries under {len(header)} headings; a question without an answer still needs its comma"
        )
    entry = dict(zip(header, (cell.strip() for cell in row), strict=True))
    if not entry["student"]:
        raise AnswerError(f"{where}: the student's code is missing; without it the two tests cannot be paired")
    if entry["when"].lower() not in TIMES:
        raise AnswerError(f"{where}: the column 'when' says {entry['when']!r}; write before or after")
    if entry["form"].upper() not in FORMS:
        raise AnswerError(f"{where}: the column 'form' says {entry['form']!r}; write A or B, as on the sheet")
    for name in questions:
        if entry[name].lower() not in ("", *LETTERS):
            raise AnswerError(
                f"{where}: {name} says {entry[name]!r}; write one of {', '.join(LETTERS)}, or nothing if the question "
                "was left open or two answers were marked"
            )
    answers = tuple(entry[name].lower() for name in questions)
    return Sheet(entry["student"], entry["when"].lower(), entry["form"].upper(), answers, line)


def pair(sheets, leave_out=False):
    """Return (pairs, left out): a list of (before, after) sheets, one for each student, and the codes without a pair.

    :class:`AnswerError` if a student has two sheets of one time, or the same form twice; and, unless ``leave_out``, if
    one has a single sheet.
    """
    by_student = {}
    for sheet in sheets:
        own = by_student.setdefault(sheet.student, {})
        if sheet.when in own:
            raise AnswerError(
                f"student {sheet.student!r} has two sheets {sheet.when} the course, in lines {own[sheet.when].line} and "
                f"{sheet.line}; delete one, or correct the code or the column 'when'"
            )
        own[sheet.when] = sheet
    alone = sorted(student for student, own in by_student.items() if len(own) < 2)
    if alone and not leave_out:
        lacking = ", ".join(f"{one} ({'after' if 'before' in by_student[one] else 'before'})" for one in alone)
        raise AnswerError(
            f"{len(alone)} of {len(by_student)} students have one sheet only; what is missing: {lacking}. Compare the codes for "
            "slips of the pen, then run again with --leave-out-unpaired to go on without them"
        )
    pairs = [(own["before"], own["after"]) for own in by_student.values() if len(own) == 2]
    for before, after in pairs:
        if before.form == after.form:
            raise AnswerError(
                f"student {before.student!r} has form {before.form} both times (lines {before.line} and {after.line}); "
                "correct the column 'form', or take the two lines out: remembered items say nothing about learning"
            )
    return pairs, alone


def marks(sheet, items):
    """Return the marks of a sheet, an array of 0 and 1 of shape (items,)."""
    return np.array(
        [answer == item.right[sheet.form] for answer, item in zip(sheet.answers, items, strict=True)], dtype=int
    )


@dataclass(frozen=True)
class Gain:
    """What a class gained: scores in items, (low, high) are 95% intervals.

    ``easier`` is by how many items form B is easier than form A, None if all students had them in one order; an interval
    is None where it cannot be had.
    """

    before: float
    after: float
    difference: float
    difference_interval: tuple[float, float]
    degrees: float
    normalised: float | None
    normalised_interval: tuple[float, float] | None
    easier: float | None
    easier_interval: tuple[float, float] | None


def normalised_gain(before, after, most):
    """Return (after - before) / (most - before) of mean scores, nan where nothing was left to gain."""
    before, after = np.asarray(before, dtype=float), np.asarray(after, dtype=float)
    room = most - before
    return np.divide(after - before, room, out=np.full(np.shape(room), np.nan), where=room > 1e-12)


def gain(groups, most, resamples=RESAMPLES, seed=0):
    """Return the :class:`Gain` of a class.

    groups: one or two arrays of shape (students, 2), scores before and after; one for each order of the forms, A first
    and then B first. With two groups each result is the mean of the groups' results, whatever their sizes, so that a
    difference in difficulty between the forms cancels out. most: the number of items.
    """
    groups = [np.asarray(group, dtype=float) for group in groups]
    before, after = np.mean([group.mean(axis=0) for group in groups], axis=0)
    differences = [group[:, 1] - group[:, 0] for group in groups]
    # Student's t on the differences of pairs; for two groups with Welch's degrees of freedom.
    parts = np.array([one.var(ddof=1) / len(one) for one in differences]) / len(groups) ** 2
    error = np.sqrt(parts.sum())
    if error > 0:
        degrees = parts.sum() ** 2 / sum(part**2 / (len(one) - 1) for part, one in zip(parts, differences, strict=True))
    else:
        degrees = float(sum(len(one) - 1 for one in differences))
    reach = stats.t.ppf(0.975, degrees) * error

    def around(value):
        return float(value - reach), float(value + reach)

    difference = float(np.mean([one.mean() for one in differences]))
    easier = float(differences[0].mean() - differences[1].mean()) / 2 if len(groups) == 2 else None

    # Bootstrap: whole students are drawn, so that each keeps the two scores together; each order on its own.
    rng = np.random.default_rng(seed)
    drawn = np.mean(
        [group[rng.integers(len(group), size=(resamples, len(group)))].mean(axis=1) for group in groups], axis=0
    )
    normalised = float(normalised_gain(before, after, most))
    values = normalised_gain(drawn[:, 0], drawn[:, 1], most)
    interval = None
    if np.isfinite(values).all():
        interval = tuple(float(edge) for edge in np.quantile(values, (0.025, 0.975)))
    return Gain(
        before=float(before),
        after=float(after),
        difference=difference,
        difference_interval=around(difference),
        degrees=float(degrees),
        normalised=normalised if np.isfinite(normalised) else None,
        normalised_interval=interval,
        easier=easier,
        easier_interval=None if easier is None else around(easier),
    )


def item_table(pairs, items):
    """Return the lines of a table with a row for each item: shares right, gained, lost, frequent wrong choices after."""
    scores = np.array([[marks(before, items), marks(after, items)] for before, after in pairs])
    lines = ["item  before  after  gained  lost  wrong after the course   what it tests"]
    for place, item in enumerate(items):
        was, now = scores[:, 0, place], scores[:, 1, place]
        wrong = Counter(
            f"{after.form}{after.answers[place]}" if after.answers[place] else "open"
            for (_, after), right in zip(pairs, now, strict=True)
            if not right
        )
        often = ", ".join(
            f"{choice} {count}" for choice, count in sorted(wrong.items(), key=lambda c: (-c[1], c[0]))[:3]
        )
        lines.append(
            f"{item.number:4d}  {was.mean():6.0%} {now.mean():6.0%}  {np.sum(now > was):6d}  {np.sum(now < was):4d}  "
            f"{often or 'none':23s}  {item.tests}"
        )
    return lines


def report(pairs, left_out, items, resamples=RESAMPLES):
    """Return what the command prints, a string; :class:`AnswerError` if there are too few pairs."""
    by_order = {form: [one for one in pairs if one[0].form == form] for form in FORMS}
    orders = {form: some for form, some in by_order.items() if some}
    for form, some in orders.items():
        if len(some) < 2:
            raise AnswerError(
                f"only {len(some)} student took form {form} first and has both sheets; an interval needs two at least in each "
                "order of the forms. Take the lines of that student out, or read the sheets one by one"
            )
    if not orders:
        raise AnswerError("no student has both sheets; check the codes and the column 'when'")
    groups = [
        np.array([[marks(sheet, items).sum() for sheet in one] for one in some], dtype=float)
        for some in orders.values()
    ]
    most = len(items)
    result = gain(groups, most, resamples)
    counts = " and ".join(f"{len(some)} with form {form} first" for form, some in orders.items())
    lines = [f"{len(pairs)} students took both tests, {counts}."]
    if left_out:
        lines.append(f"Left out, because they took only one of them: {len(left_out)} students.")
    lines += ["", *item_table(pairs, items), ""]
    low, high = result.difference_interval
    lines += [
        f"Mean score before: {result.before:.1f} of {most} ({result.before / most:.0%}); "
        f"after: {result.after:.1f} ({result.after / most:.0%}).",
        f"Mean difference: {result.difference:+.1f} items, 95% interval {low:+.1f} to {high:+.1f} "
        f"(paired, Student's t, {result.degrees:.0f} degrees of freedom).",
    ]
    if result.normalised is None:
        lines.append("Normalised gain: none can be had, for all answers were right before the course.")
    elif result.normalised_interval is None:
        lines.append(
            f"Normalised gain: {result.normalised:.2f}; no interval, for in some of the draws nothing was left to gain."
        )
    else:
        low, high = result.normalised_interval
        lines.append(
            f"Normalised gain: {result.normalised:.2f}, 95% interval {low:.2f} to {high:.2f} "
            f"(bootstrap over students, {resamples:,} draws)."
        )
    lines.append("")
    if result.easier is None:
        lines.append(
            "All students had the forms in one order: a difference in difficulty between the forms cannot be told from learning. "
            "Next time, let every second student begin with the other form."
        )
    else:
        low, high = result.easier_interval
        lines.append(
            f"The forms: the same student scores {result.easier:+.1f} items on form B compared with form A, 95% interval "
            f"{low:+.1f} to {high:+.1f}.\nThe three results above are free of this difference; the table of items is, if both "
            "orders are equally frequent."
        )
    if len(pairs) < SMALL_CLASS:
        lines.append(
            f"With {len(pairs)} pairs the intervals are rough, the bootstrap's probably too narrow. Read the items one by one."
        )
    lines.append(
        "The items have not been piloted, and there is no control group: concept_test/key.md says what that means."
    )
    return "\n".join(lines)


def main(arguments=None):
    """Print the report on a file of answers; returns 1, with the reason on stderr, if the file is not in order."""
    parser = argparse.ArgumentParser(
        prog="python -m coursework concept_test", description="score the concept test before and after a course"
    )
    parser.add_argument("answers", help="CSV file, a line for each sheet: student,when,form,q1,q2,...")
    parser.add_argument(
        "--leave-out-unpaired", action="store_true", help="go on without the students who took only one of the tests"
    )
    options = parser.parse_args(arguments)
    try:
        items = read_key()
        pairs, left_out = pair(read_answers(options.answers, len(items)), options.leave_out_unpaired)
        print(report(pairs, left_out, items))
    except AnswerError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

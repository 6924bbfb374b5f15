"""The item analysis of a graded assignment: ``python -m coursework analyse NAME`` writes ``analysis/NAME.html``.

From the gradebook and the autograded notebooks, for each task: mean, share of full marks, discrimination, blank answers, and
which messages of the tests failed how often. One self-contained page without names, for light and dark mode.
"""

from __future__ import annotations

import argparse
import collections
import html
import io
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
import numpy as np

from coursework import COURSE
from coursework.grade import isolated
from coursework.grade.course import Course, GradingError
from coursework.grade.marks import tasks_of
from coursework.make.notebooks import grading

LEAST_STUDENTS = 10  # with fewer, a correlation says nothing
MESSAGES = 8  # of a task, the most frequent ones
INK = "#0b0c0d"  # drawn in this, and then turned into the page's own colour of text
COLOURS = {"full": "#2f7d5b", "part": "#d49a2a", "none": "#b5524a"}


@dataclass
class Item:
    """One task: points of each student (nan where a mark is missing), blanks, and messages of failed tests with counts."""

    task: str
    most: float
    written: bool
    points: np.ndarray
    blanks: int = 0
    messages: collections.Counter = field(default_factory=collections.Counter)


def correlation(points, rest):
    """Return the corrected item-total correlation and its 95 % interval, or None if it cannot be had.

    The task's points against the sum of all *other* tasks: with the task itself in the sum, the correlation would be too
    large (Henrysson 1963). The interval is by Fisher's transformation.

    points, rest : float arrays (n,), nan where a mark is missing
    """
    there = np.isfinite(points) & np.isfinite(rest)
    points, rest = points[there], rest[there]
    n = len(points)
    if n < LEAST_STUDENTS or np.ptp(points) == 0 or np.ptp(rest) == 0:
        return None
    r = float(np.corrcoef(points, rest)[0, 1])
    z, half = np.arctanh(np.clip(r, -0.999999, 0.999999)), 1.959964 / np.sqrt(n - 3)
    return r, float(np.tanh(z - half)), float(np.tanh(z + half))


def read_items(course):
    """Return the items of an open :class:`coursework.grade.course.Course`, and the number of students."""
    submissions = sorted(course.gradebook.assignment_submissions(course.name), key=lambda one: one.student_id)
    by_cell = {
        name: Item(task, most, written, np.full(len(submissions), np.nan))
        for name, task, most, written in tasks_of(course)
    }
    for place, submission in enumerate(submissions):
        add_points(by_cell, place, submission)
        path = course.path("autograded", submission.student_id) / f"{course.name}.ipynb"
        if path.is_file():
            add_notebook(by_cell, course, nbformat.read(path, as_version=4))
    return list(by_cell.values()), len(submissions)


def add_points(by_cell, place, submission):
    """Add the points of one student to the items, {grade_id: Item}; ``place`` is the student's in their arrays."""
    for notebook in submission.notebooks:
        for grade in notebook.grades:
            item = by_cell.get(grade.name)
            # A written answer that waits for its mark is missing, not wrong.
            if item is not None and not (item.written and grade.needs_manual_grade):
                item.points[place] = grade.score


def add_notebook(by_cell, course, notebook):
    """Add what an autograded notebook shows to the items, {grade_id: Item}: messages of failed tests, and blank answers."""
    answered = set()
    for cell in notebook.cells:
        name = grading(cell).get("grade_id")
        original = course.known.get(name)
        if original is None:
            continue
        if original.about["solution"] and isolated.plain(cell.source) != isolated.plain(original.source):
            answered.add(name)
        if name in by_cell and cell.cell_type == "code":
            failed = {f"{one.ename}: {one.evalue}" for one in cell.outputs if one.output_type == "error"}
            by_cell[name].messages.update(short(one) for one in failed)
    for name, item in by_cell.items():
        solution = name if item.written else name.removeprefix("test_")
        item.blanks += solution not in answered


def short(message):
    """Return a message on one line, without an error's name that only says that a test failed, numbers in it kept."""
    line = re.sub(r"\s+", " ", message).strip()
    line = line.removeprefix("AssertionError: ") if line != "AssertionError: " else line
    return line if len(line) <= 200 else line[:197] + "..."


def totals(items):
    """Return the totals of all students, and for each item the sum of the others; nan where a mark is missing."""
    together = np.array([item.points for item in items])
    total = together.sum(axis=0)
    return total, total - together


# ---------------------------------------------------------------- pictures


def picture(figure, name, alt):
    """Return a Matplotlib figure as an SVG element with its alternative text, in the page's colours."""
    import matplotlib.pyplot as plt

    file = io.StringIO()
    figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None}, transparent=True)
    plt.close(figure)
    svg = file.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.S)
    svg = svg.replace(INK, "currentColor")
    # ids must differ between the pictures of a page
    svg = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{name}-", svg)
    svg = re.sub(r'width="[\d.]+pt" height="[\d.]+pt"', "", svg, count=1)
    title = html.escape(alt, quote=True)
    return svg.replace("<svg ", f'<svg role="img" aria-label="{title}" ', 1)


def style():
    """Return Matplotlib's settings for these pictures."""
    return {
        "svg.fonttype": "none",
        "svg.hashsalt": "coursework",
        "font.family": "sans-serif",
        "font.size": 11,
        **dict.fromkeys(("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"), INK),
        "axes.spines.top": False,
        "axes.spines.right": False,
        "legend.frameon": False,
    }


def shares(item):
    """Return the shares of full, some and no points among those who have a mark; nan if nobody has."""
    marked = item.points[np.isfinite(item.points)]
    if not len(marked):
        return np.nan, np.nan, np.nan
    full, none = float(np.mean(marked >= item.most)), float(np.mean(marked <= 0))
    return full, 1 - full - none, none


def draw_shares(items):
    """Return the picture of full, some and no points for each task."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(7, 0.5 * len(items) + 1.4), layout="constrained")
    left = np.zeros(len(items))
    values = np.nan_to_num(np.array([shares(item) for item in items])) * 100
    kinds = (("full", "all points"), ("part", "some"), ("none", "none"))
    for column, (key, label) in enumerate(kinds):
        axes.barh([item.task for item in items], values[:, column], left=left, color=COLOURS[key], label=label)
        left += values[:, column]
    axes.invert_yaxis()
    axes.set(xlim=(0, 100), xlabel="students with a mark (%)")
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, borderpad=0)
    told = "; ".join(f"{item.task} {share:.0f} %" for item, share in zip(items, values[:, 0], strict=True))
    return picture(
        figure,
        "shares",
        f"Bars, one for each task: the share of students with all, some and no points. All points: {told}.",
    )


def draw_totals(total, most):
    """Return the histogram of totals."""
    import matplotlib.pyplot as plt

    total = total[np.isfinite(total)]
    figure, axes = plt.subplots(figsize=(7, 2.8), layout="constrained")
    axes.hist(total, bins=np.arange(-0.5, most + 1.5), color=COLOURS["full"], rwidth=0.85)
    axes.set(xlabel=f"points of {most:g}", ylabel="students", xlim=(-0.7, most + 0.7))
    for axis in (axes.xaxis, axes.yaxis):
        axis.get_major_locator().set_params(integer=True)
    told = (
        f"median {np.median(total):g}, from {total.min():g} to {total.max():g}"
        if len(total)
        else "nobody has all marks"
    )
    return picture(figure, "totals", f"Histogram of the totals of {len(total)} students: {told}.")


def draw_discrimination(items, found):
    """Return the picture of the discriminations with their intervals, or '' if there is none."""
    import matplotlib.pyplot as plt

    known = [(item.task, one) for item, one in zip(items, found, strict=True) if one]
    if not known:
        return ""
    figure, axes = plt.subplots(figsize=(7, 0.45 * len(known) + 1), layout="constrained")
    middle = np.array([one[0] for _, one in known])
    reach = np.array([[one[0] - one[1], one[2] - one[0]] for _, one in known]).T
    axes.axvline(0, color=INK, linewidth=0.8, linestyle=":")
    axes.errorbar(middle, range(len(known)), xerr=reach, fmt="o", color="#3a78b5", capsize=3)
    axes.set_yticks(range(len(known)), [task for task, _ in known])
    axes.invert_yaxis()
    axes.set(xlim=(-1, 1), xlabel="correlation with the other tasks")
    told = "; ".join(f"{task} {one[0]:.2f} ({one[1]:.2f} to {one[2]:.2f})" for task, one in known)
    return picture(
        figure, "discrimination", f"Points with 95 % intervals: the corrected item-total correlation. {told}."
    )


# ---------------------------------------------------------------- the page

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; --ink: #1b1d20; --paper: #ffffff; --line: #767b82; --soft: #f1f3f5; }}
@media (prefers-color-scheme: dark) {{ :root {{ --ink: #e8eaed; --paper: #16181b; --line: #8b9199; --soft: #23272c; }} }}
body {{ font: 1rem/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 56rem; margin: 2rem auto; padding: 0 1rem; }}
.wide {{ overflow-x: auto; }}
table {{ border-collapse: collapse; margin: 1rem 0; }}
caption {{ text-align: left; font-weight: 600; padding: 0.3rem 0; }}
th, td {{ border-bottom: 1px solid var(--line); padding: 0.3rem 0.7rem; text-align: left; vertical-align: top; }}
thead th {{ background: var(--soft); }}
.n {{ text-align: right; font-variant-numeric: tabular-nums; }}
svg {{ width: 100%; height: auto; color: var(--ink); }}
figure {{ margin: 1.5rem 0; }}
figcaption {{ font-size: 0.95rem; }}
code {{ background: var(--soft); padding: 0 0.2rem; }}
</style>
</head>
<body>
<main>
<h1>{title}</h1>
{body}
</main>
</body>
</html>
"""


def percent(value):
    """Return a share as text."""
    return "–" if not np.isfinite(value) else f"{100 * value:.0f} %"


def page(name, items, students):
    """Return the page as HTML. ``students``: how many were graded."""
    import matplotlib
    import matplotlib.pyplot as plt

    matplotlib.use("Agg")
    total, rests = totals(items)
    found = [correlation(item.points, rest) for item, rest in zip(items, rests, strict=True)]
    most = sum(item.most for item in items)
    complete = total[np.isfinite(total)]
    waiting = students - len(complete)
    with plt.rc_context(style()):
        pictures = draw_totals(total, most), draw_shares(items), draw_discrimination(items, found)
    body = [f"<p>{students} graded submissions, {most:g} points."]
    if len(complete):
        body.append(f"Mean total {complete.mean():.1f}, standard deviation {complete.std(ddof=len(complete) > 1):.1f}.")
    if waiting:
        body.append(
            f"{waiting} wait for the mark of a written answer: their totals, and what needs them, are left out."
        )
    body.append("</p>")
    rows = []
    for item, one in zip(items, found, strict=True):
        marked = item.points[np.isfinite(item.points)]
        mean = f"{marked.mean():.2f}" if len(marked) else "–"
        share = marked.mean() / item.most if len(marked) and item.most else np.nan
        value = f"{one[0]:.2f} ({one[1]:.2f} to {one[2]:.2f})" if one else "–"
        rows.append(
            f'<tr><th scope="row"><code>{html.escape(item.task)}</code>{" (written)" if item.written else ""}</th>'
            f'<td class="n">{item.most:g}</td><td class="n">{mean}</td><td class="n">{percent(share)}</td>'
            f'<td class="n">{percent(shares(item)[0])}</td><td class="n">{value}</td><td class="n">{item.blanks}</td></tr>'
        )
    heads = ("Task", "Points", "Mean", "Mean share", "Full marks", "Discrimination", "Blank")
    head = "".join(f'<th scope="col"{" class=n" * (place > 0)}>{one}</th>' for place, one in enumerate(heads))
    body.append(
        f'<div class="wide" tabindex="0" role="region" aria-label="Tasks"><table><caption>Tasks</caption><thead><tr>{head}</tr></thead><tbody>'
        + "\n".join(rows)
        + "</tbody></table></div>"
    )
    body.append(
        "<p>Discrimination is the corrected item-total correlation: of a task's points with the sum of all <em>other</em> tasks "
        "(S. Henrysson, Correction of item-total correlations in item analysis, <cite>Psychometrika</cite> 28, 1963, 211–218), with its "
        "95 % interval by Fisher's transformation. Near 0, the task sorts students otherwise than the rest does; below 0, look for a fault "
        f"in its text or its tests. It is left out where all have the same points, or fewer than {LEAST_STUDENTS} have a mark.</p>"
    )
    captions = ("Totals.", "How many got all, some and no points.", "Discrimination, with 95 % intervals.")
    for drawn, caption in zip(pictures, captions, strict=True):
        if drawn:
            body.append(f"<figure>{drawn}<figcaption>{caption}</figcaption></figure>")
    body.append("<h2>What went wrong</h2>")
    for item in items:
        if item.written:
            continue
        wrong = item.messages.most_common(MESSAGES)
        body.append(f"<h3><code>{html.escape(item.task)}</code></h3>")
        if not wrong:
            body.append("<p>No test failed.</p>")
            continue
        lines = "".join(f'<tr><td class="n">{count}</td><td>{html.escape(text)}</td></tr>' for text, count in wrong)
        body.append(
            f'<div class="wide" tabindex="0" role="region" aria-label="Failed tests of {html.escape(item.task)}"><table>'
            f'<caption>Failed tests of {html.escape(item.task)}</caption><thead><tr><th scope="col" class="n">Students</th>'
            f'<th scope="col">What the test said</th></tr></thead><tbody>{lines}</tbody></table></div>'
        )
        left = len(item.messages) - len(wrong)
        if left > 0:
            body.append(f"<p>And {left} more messages, each less frequent.</p>")
    return PAGE.format(title=html.escape(f"Item analysis: {name}"), body="\n".join(body))


def analyse(name, course=COURSE):
    """Write the item analysis of an assignment; returns the page's path."""
    with Course(course, name) as opened:
        items, students = read_items(opened)
        if not students:
            raise GradingError(f"{opened.folder} has no graded submission of {name}: grade first (make grade)")
        path = opened.folder / "analysis" / f"{name}.html"
    path.parent.mkdir(exist_ok=True)
    path.write_text(page(name, items, students), encoding="utf-8")
    return path


def main(arguments=None):
    """Write the page and say where; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m coursework analyse", description="write the item analysis")
    parser.add_argument("name", help="the assignment")
    parser.add_argument(
        "--course", type=Path, default=COURSE, help="the course folder (default: _build/coursework/course)"
    )
    options = parser.parse_args(arguments)
    try:
        print(analyse(options.name, options.course))
    except GradingError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

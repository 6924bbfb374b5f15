"""Settings of nbgrader for this course: run nbgrader's commands in this folder.

With them ``nbgrader autograde`` runs submissions in the same sandbox as ``python -m coursework grade``, or not at all, and
feedback pages show no hidden test.
"""

import os
import sys
from pathlib import Path

from nbgrader.preprocessors import NbGraderPreprocessor

here = Path(__file__).resolve().parent

c = get_config()  # noqa: F821 (nbgrader gives it)
c.CourseDirectory.course_id = "digits"
c.CourseDirectory.root = str(here)

# The book's repository: named by DIGITS_BOOK, or one of the folders around this one.
places = [Path(os.environ["DIGITS_BOOK"])] if os.environ.get("DIGITS_BOOK") else list(here.parents)
book = next((one for one in places if (one / "coursework" / "isolated.py").is_file()), None)


class NoIsolation(NbGraderPreprocessor):
    """Refuses to run submissions, or to show them, where the sandbox is out of reach."""

    def preprocess(self, nb, resources):
        """Refuse."""
        raise RuntimeError(
            "the sandbox for submissions was not found, and nothing is run or shown without it: "
            "set DIGITS_BOOK to the folder of the book's repository"
        )


if book is None:
    repair = execute = hide = NoIsolation
else:
    if str(book) not in sys.path:
        sys.path.append(str(book))
    repair = "coursework.isolated.RepairCells"
    execute = "coursework.isolated.IsolatedExecute"
    hide = "coursework.isolated.HideHiddenTests"

c.Autograde.sanitize_preprocessors = [
    "nbgrader.preprocessors.ClearOutput",
    repair,
    "nbgrader.preprocessors.DeduplicateIds",
    "nbgrader.preprocessors.OverwriteKernelspec",
    "nbgrader.preprocessors.OverwriteCells",
    "nbgrader.preprocessors.CheckCellMetadata",
]
c.Autograde.autograde_preprocessors = [
    execute,
    "nbgrader.preprocessors.IgnorePattern",
    "nbgrader.preprocessors.LimitOutput",
    "nbgrader.preprocessors.SaveAutoGrades",
    "nbgrader.preprocessors.AssignLatePenalties",
    "nbgrader.preprocessors.CheckCellMetadata",
]
c.OverwriteCells.add_missing_cells = True
c.GenerateFeedback.preprocessors = [
    "nbgrader.preprocessors.GetGrades",
    hide,
    "nbconvert.preprocessors.CSSHTMLHeaderPreprocessor",
]
# What students write is shown without any script, in feedback and in the formgrader.
c.HTMLExporter.sanitize_html = True

# Limits of one submission (python -m coursework grade has options of its own)
c.IsolatedExecute.cell_seconds = 30
c.IsolatedExecute.submission_seconds = 180
c.IsolatedExecute.memory_mb = 1500

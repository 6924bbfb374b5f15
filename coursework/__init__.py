"""Coursework for the book: six assignments from one source each, what is made of them, and how they are graded.

For teachers and maintainers only; no reader needs it. ``python -m coursework`` lists the commands.

Content lies in ``source/``, ``pages/`` and ``concept_test/``; what works on it in ``make/`` (notebooks, bundles, leaks),
``grade/`` (submissions), ``sandbox/`` (where their code runs) and ``hub/`` (JupyterHub). Imports go from hub to grade to make
and sandbox, never back. Facts that several of these need stand here.
"""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent  # the book's repository
SOURCES = ROOT / "coursework" / "source"
CONCEPT_TEST = ROOT / "coursework" / "concept_test"
OUTPUT = ROOT / "_build" / "coursework"  # what make coursework makes
COURSE = OUTPUT / "course"  # in it, nbgrader's course folder
#: the seed of the example course: its values stand in the sources as they are committed, and it is every command's default
SEED = 2026
#: limits of submissions are told in "MB" of 2**20 bytes, as systems count memory; zips and servers in MB of a million, as networks
#: and providers do
MIB, MB = 2**20, 10**6

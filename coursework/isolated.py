"""The steps for nbgrader's converters, under the name that courses know: they stand in coursework/grade/isolated.py.

The ``nbgrader_config.py`` of every course folder, and of those handed out already, looks for this file to find the book, and
names the steps as ``coursework.isolated.RepairCells``, ``IsolatedExecute`` and ``HideHiddenTests``.
"""

from coursework.grade.isolated import HideHiddenTests, IsolatedExecute, RepairCells

__all__ = ["HideHiddenTests", "IsolatedExecute", "RepairCells"]

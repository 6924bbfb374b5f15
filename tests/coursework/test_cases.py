"""Graders that were graded: solutions, blank copies, and right and wrong answers to each task of each assignment.

One class an assignment, so that workers can share the work (``--dist loadscope``). Isolation is not what is tested here:
all runs in this process (``coursework/make/check.py``), and what TensorFlow costs is paid once.
"""

import sys
from pathlib import Path

import pytest
import tiny_class

from coursework import SEED
from coursework.make import check
from coursework.make.notebooks import NAMES, load_module, read_source, tasks, with_answer, with_constants

OTHER_SEED = 7  # a course that nobody tried while writing


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # a wrong answer may well divide by nothing
class Graded:
    """What every assignment is asked; ``name`` is set by the classes below."""

    name = None

    def test_every_case_gets_the_marks_it_should(self):
        told = list(check.check(self.name))
        cases = load_module(self.name, "cases.py").CASES
        # and a line on the asserts of each task: every hidden one refuses some wrong answer alone
        assert len(told) == 2 + sum(len(kinds["right"]) + len(kinds["wrong"]) + 1 for kinds in cases.values())
        assert not [f"{what}: {fault}" for what, _, fault in told if fault]

    def test_in_another_course_too_the_solution_gets_all_and_the_blank_copy_nothing(self):
        told = check.check(self.name, OTHER_SEED)
        assert [next(told)[::2], next(told)[::2]] == [("solution", None), ("blank copy", None)]

    def test_every_assert_tells_what_is_wrong(self):
        notebook = check.course_notebook(self.name)
        bare = [
            f"{task.id}: {node}"
            for task in tasks(notebook)
            if not task.written
            for node in check.asserts_without_message(notebook.cells[task.test].source)
        ]
        assert not bare, f"asserts without a message: {bare}"

    def test_twenty_points_in_five_to_eight_tasks(self):
        found = tasks(read_source(self.name))
        assert sum(task.points for task in found) == 20 and 5 <= len(found) <= 8
        assert [task.written for task in found].count(True) == 1


for _name in NAMES:
    _class = f"Test{_name.title().replace('_', '')}"
    globals()[_class] = type(_class, (Graded,), {"name": _name, "__module__": __name__})


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
class TestTheCheckItself:
    """A check of graders that could not fail would be worth nothing: plant what it should find."""

    def test_a_wrong_answer_that_keeps_its_points_is_a_fault(self, monkeypatch):
        name = "preprocessing"
        notebook = check.course_notebook(name)
        task = next(task for task in tasks(notebook) if not task.written)
        cases = load_module(name, "cases.py").CASES
        solution = notebook.cells[task.solution].source
        cases[task.id] = {"right": cases[task.id]["right"], "wrong": dict.fromkeys("abc", solution)}
        self.plant(monkeypatch, cases)
        faults = [fault for what, _, fault in check.check(name, only=task.id) if ", wrong:" in what]
        assert len(faults) == 3 and all(f"{task.points} points instead of 0" in fault for fault in faults)

    def test_a_right_answer_that_loses_points_is_a_fault(self, monkeypatch):
        name = "preprocessing"
        task = next(task for task in tasks(check.course_notebook(name)) if not task.written)
        cases = load_module(name, "cases.py").CASES
        cases[task.id] = {"right": dict.fromkeys("ab", "raise ValueError"), "wrong": cases[task.id]["wrong"]}
        self.plant(monkeypatch, cases)
        faults = [fault for what, _, fault in check.check(name, only=task.id) if ", right:" in what]
        assert len(faults) == 2 and all(f"0 points instead of {task.points}" in fault for fault in faults)

    def test_a_wrong_answer_that_costs_another_task_its_points_is_a_fault(self, monkeypatch):
        name = "preprocessing"
        one, other = [task for task in tasks(check.course_notebook(name)) if not task.written][:2]
        cases = load_module(name, "cases.py").CASES
        spoiler = (
            f"{one.id} = None\nimport os\nos.remove('{name}_data.npz')"  # the last case, so that no other misses it
        )
        cases[one.id] = {"right": cases[one.id]["right"], "wrong": {**cases[one.id]["wrong"], "spoils": spoiler}}
        self.plant(monkeypatch, cases)
        faults = [fault for what, _, fault in check.check(name, only=one.id) if "spoils" in what]
        assert f"{other.id}: 0 points instead of {other.points}" in faults[0]

    def test_asserts_without_a_message_are_found(self):
        source = "assert a == 1, 'it is not one'\nfor x in y:\n    assert x"
        assert check.asserts_without_message(source) == ["assert x"]

    def test_answers_for_no_task_and_tasks_without_answers_are_refused(self, monkeypatch):
        cases = load_module("preprocessing", "cases.py").CASES
        cases["no_such_task"] = cases.pop(next(iter(cases)))
        self.plant(monkeypatch, cases)
        with pytest.raises(check.SourceError, match="unknown tasks .*no_such_task.*tasks without cases"):
            list(check.check("preprocessing"))

    def test_a_course_changes_the_notebook(self):
        name = "preprocessing"
        one, other = (check.course_notebook(name, seed) for seed in (SEED, OTHER_SEED))
        assert [cell.source for cell in one.cells] != [cell.source for cell in other.cells]
        assert not [cell for cell in one.cells if "# course:" in cell.source or "{{" in cell.source]

    def test_a_notebook_finds_its_own_files_and_leaves_nothing_behind(self):
        path, place = list(sys.path), Path.cwd()
        with check.folder_of("tiny", sources=tiny_class.SOURCES) as folder:
            import lab

            assert lab.shout("ink") == "INK" and Path(lab.__file__).parent == folder == Path.cwd()
        assert "lab" not in sys.modules and sys.path == path and Path.cwd() == place and not folder.exists()

    def test_an_answer_for_no_task_is_refused(self):
        with pytest.raises(check.SourceError, match="there is no code task 'nothing'"):
            with_answer(read_source("preprocessing"), "nothing", "pass")

    def test_a_constant_that_the_variant_lacks_is_refused(self):
        with pytest.raises(check.SourceError, match="asks for the constant"):
            with_constants(read_source("preprocessing"), {})

    @staticmethod
    def plant(monkeypatch, cases):
        """Make ``cases`` stand in for what cases.py says."""
        real = check.load_module

        class Planted:
            CASES = cases

        def load(name, file, *rest):
            return Planted if file == "cases.py" else real(name, file, *rest)

        monkeypatch.setattr(check, "load_module", load)

"""A course folder of nbgrader with its gradebook open, and nbgrader's steps as they run over it.

What is graded already is told by digests: of a submission, and of all that grades it.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import logging
from pathlib import Path

from nbgrader import preprocessors as steps
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader

from coursework.grade import isolated
from coursework.sandbox import memory, outside

# What a change of makes a graded submission out of date, beside the assignment.
GRADED_BY = (outside.WORKER, *(Path(one.__file__) for one in (outside, memory, isolated)))
LOG = logging.getLogger("coursework")


class GradingError(Exception):
    """Nothing can be graded. The message says why and what to do."""


class Shared:
    """Mixed into a step of nbgrader: it uses the gradebook that is open, in place of opening it anew each time.

    Opening means a connection, a look at all tables and a check of the course: for five steps and 200 submissions that
    takes longer than the steps themselves. What the steps do is nbgrader's.
    """

    shared = None

    def preprocess(self, nb, resources):
        self.gradebook = self.shared
        about = resources["nbgrader"]
        self.notebook_id, self.assignment_id = about["notebook"], about["assignment"]
        self.student_id, self.db_url = about["student"], about["db_url"]
        return NbGraderPreprocessor.preprocess(self, nb, resources)


class Overwrite(Shared, steps.OverwriteCells):
    """nbgrader's OverwriteCells: locked cells get the source of the gradebook, hidden tests included."""


class SaveGrades(Shared, steps.SaveAutoGrades):
    """nbgrader's SaveAutoGrades."""


class GetGrades(Shared, steps.GetGrades):
    """nbgrader's GetGrades."""

    def preprocess(self, nb, resources):
        nb, resources = super().preprocess(nb, resources)
        notebook = self.gradebook.find_submission_notebook(self.notebook_id, self.assignment_id, self.student_id)
        penalty = notebook.late_submission_penalty or 0
        resources["nbgrader"] |= {
            "score": notebook.score - penalty,
            "max_score": notebook.max_score,
            "late_penalty": penalty,
        }
        return nb, resources


class Batched:
    """A database session whose ``commit`` only writes to the transaction: one commit for each submission, at its end."""

    def __init__(self, session):
        self._session = session

    def __getattr__(self, name):
        return getattr(self._session, name)

    def commit(self):
        """Send what is new to the transaction, which `done` ends."""
        self._session.flush()

    def done(self):
        """Commit."""
        self._session.commit()


class Course:
    """A course folder of nbgrader with its gradebook open. A context manager; only one run may use it at a time."""

    def __init__(self, folder, name):
        self.folder, self.name = Path(folder).resolve(), name
        if not (self.folder / "gradebook.db").is_file():
            raise GradingError(
                f"{self.folder} holds no gradebook.db: make the course first (make coursework), or name it with --course"
            )
        self.state = self.folder / ".grading" / name
        self.config = Config()
        if (self.folder / "nbgrader_config.py").is_file():
            self.config = PyFileConfigLoader("nbgrader_config.py", path=str(self.folder)).load_config()
        self.config.CourseDirectory.root = str(self.folder)

    def __enter__(self):
        self.state.mkdir(parents=True, exist_ok=True)
        self.lock = open(self.folder / ".grading" / "lock", "w")
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self.lock.close()
            raise GradingError(f"{self.folder} is being graded by another run: wait until it is done") from error
        self.directory = CourseDirectory(config=self.config)
        self.gradebook = Gradebook(self.directory.db_url, self.directory.course_id)
        self.gradebook.db = Batched(self.gradebook.db)
        try:
            self.assignment = self.gradebook.find_assignment(self.name)
            self.known = isolated.known_cells(self.gradebook, self.name, self.name)
            self.kernelspec = json.loads(self.gradebook.find_notebook(self.name, self.name).kernelspec or "{}")
        except MissingEntry as error:
            known = ", ".join(sorted(one.name for one in self.gradebook.assignments)) or "none"
            self.__exit__()
            raise GradingError(f"{self.folder} has no assignment {self.name!r}; it has: {known}") from error
        return self

    def __exit__(self, *_):
        self.gradebook.close()
        self.lock.close()

    def path(self, step, student):
        """Return the folder of a student's submission in one of nbgrader's steps."""
        return self.folder / step / student / self.name

    def given(self):
        """Return the files that the assignment gives out beside its notebook, {relative path: Path}."""
        folder = self.folder / "source" / self.name
        found = {}
        for path in sorted(folder.rglob("*")):
            inside = path.relative_to(folder)
            if (
                path.is_file()
                and path.suffix != ".ipynb"
                and not {"__pycache__", ".ipynb_checkpoints"} & set(inside.parts)
            ):
                found[inside] = path
        return found

    def resources(self, student):
        """Return the resources that nbgrader's steps ask for."""
        about = {"student": student, "assignment": self.name, "notebook": self.name, "db_url": self.directory.db_url}
        return {"unique_key": self.name, "output_files_dir": f"{self.name}_files", "nbgrader": about, "metadata": {}}

    def step(self, kind, **traits):
        """Return a step of nbgrader with this course's settings."""
        made = kind(config=self.config, enabled=True, **traits)
        if isinstance(made, Shared):
            made.shared = self.gradebook
        return made

    def students(self):
        """Return the ids of all whose submission is collected, sorted."""
        return sorted(
            path.parent.parent.name for path in self.folder.glob(f"submitted/*/{self.name}/{self.name}.ipynb")
        )

    def digest(self):
        """Return a digest of what grades a submission: the assignment, its files, and our code."""
        digest = hashlib.sha256()
        for name, cell in self.known.items():
            digest.update(f"{name}\0{cell.source}\0{json.dumps(cell.about, sort_keys=True)}\0".encode())
        for inside, path in self.given().items():
            digest.update(str(inside).encode() + hashlib.sha256(path.read_bytes()).digest())
        for path in GRADED_BY:
            digest.update(path.read_bytes())
        return digest.hexdigest()


def digest_of_folder(folder):
    """Return a digest of all files of a submission."""
    digest = hashlib.sha256()
    for path in sorted(Path(folder).rglob("*")):
        if path.is_file() and not path.is_symlink():
            digest.update(
                path.relative_to(folder).as_posix().encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest()
            )
    return digest.hexdigest()


def write_json(path, content):
    """Write a file in one step."""
    new = path.with_name(f".{path.name}.new")
    new.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    new.rename(path)


def read_json(path):
    """Return a file's content, or an empty dict."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}

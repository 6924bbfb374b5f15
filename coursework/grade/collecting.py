"""Collect submissions: from what Moodle, Canvas or a plain folder give to nbgrader's ``submitted/<student>/<assignment>/``.

Layouts that are recognised, in a folder or a zip of it:

- Moodle with folders: ``Surname Firstname_1234567_assignsubmission_file_/name.ipynb`` (with or without the last underscore),
- Moodle without: ``Surname Firstname_1234567_assignsubmission_file_name.ipynb``,
- Canvas: ``surnamefirstname_12345_67890_name.ipynb``, ``surnamefirstname_LATE_12345_67890_name-1.ipynb``, and
  ``anon_abcde_67890_name.ipynb`` with anonymous grading,
- plain: a folder, a zip or a notebook for each student, called by the student's id (``submitted/<student>/<assignment>`` too).

Whatever is wrong with one submission becomes a sentence for its student and stops no other. Nothing is ever unpacked where
its name says: files are read one by one, with limits, and written under names of ours. Originals are only read.
"""

from __future__ import annotations

import contextlib
import csv
import importlib.util
import io
import json
import os
import re
import shutil
import stat
import sys
import tempfile
import unicodedata
import warnings
import zipfile
import zlib
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

import nbformat

from coursework import MIB
from coursework.make.notebooks import grading

NOTEBOOK_BYTES = 50 * MIB  # with all outputs that a student left in
SOURCE_CHARACTERS = 2_000_000
CELLS = 2_000
EXTRA_BYTES = 10 * MIB  # of a student's other files, together
EXTRA_FILES = 100
ZIP_ENTRIES = 5_000  # of one student's zip
ZIP_BYTES = 200 * MIB  # unpacked, of one student's zip
DOWNLOAD_ENTRIES = 200_000
STAMP = "timestamp.txt"  # where nbgrader keeps the time of a submission, in its folder

MOODLE = re.compile(r"(?P<name>.+)_(?P<number>\d+)_assignsubmission_(?P<kind>file|onlinetext)_?(?P<file>.*)", re.S)
CANVAS = re.compile(r"(?P<name>[^\W_]+)(?P<late>_LATE)?_(?P<number>\d+)_(?P<attachment>\d+)_(?P<file>.+)", re.S)
CANVAS_ANONYMOUS = re.compile(
    r"(?:LATE_)?(?P<name>anon)_(?P<late>LATE_)?(?P<number>[^\W_]+)_(?P<attachment>\d+)_(?P<file>.+)", re.S
)
CANVAS_TEXT = re.compile(r"(?P<name>[^\W_]+)(?P<late>_LATE)?_(?P<number>\d+)_(?P<file>text|link)\.html", re.S)
NOISE = {"__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini", ".ipynb_checkpoints", "__pycache__", ".git"}
BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError)


class CollectError(Exception):
    """Nothing can be collected at all. The message says why and what to do."""


class Refused(Exception):
    """One submission cannot be taken. The message is the sentence for its line in the report."""


@dataclass
class File:
    """One file of a download: its path inside, size, time (seconds since 1970, or 0), and how to read it.

    ``fault`` is a sentence if it must not be read at all.
    """

    path: PurePosixPath
    size: int
    time: float
    read: object = None
    fault: str = ""


@dataclass
class Found:
    """What was found of one student: files with the key by which later ones win, and remarks."""

    student: str
    files: list = field(default_factory=list)
    remarks: list = field(default_factory=list)
    origins: dict = field(default_factory=dict)

    def remark(self, sentence):
        """Add a remark, once."""
        if sentence not in self.remarks:
            self.remarks.append(sentence)

    def add(self, file, inside, order):
        """Add a file: its path within the submission, and the key by which later submissions win."""
        origin = file.path.parts[0]
        self.files.append((file, inside, order, origin))
        self.origins[origin] = max(self.origins.get(origin, ()), order)


@dataclass
class Line:
    """A line of the report: ``status`` is 'collected', 'unchanged' or 'refused', ``remarks`` are sentences."""

    student: str
    status: str
    remarks: list


# ---------------------------------------------------------------- reading downloads


def fault_of(name):
    """Return what is wrong with a path inside a zip or a folder, '' if nothing is."""
    parts = PurePosixPath(name.replace("\\", "/")).parts
    if name.startswith(("/", "\\")) or re.match(r"[A-Za-z]:", name):
        return "the path of a file in it is absolute"
    if ".." in parts:
        return "the path of a file in it leads out of its folder (..)"
    if "\0" in name or len(name) > 1000:
        return "the name of a file in it is not one"
    return ""


def files_of_folder(folder):
    """Return the files of a folder as a list of :class:`File`; links are not followed."""
    found, folder = [], Path(folder)

    def reader(path):
        def read(limit):
            with open(path, "rb") as file:
                return file.read(limit + 1)

        return read

    for base, folders, names in os.walk(folder):
        folders[:] = sorted(one for one in folders if one not in NOISE)
        for name in sorted(names) + [one for one in folders if Path(base, one).is_symlink()]:
            path = Path(base, name)
            inside = PurePosixPath(path.relative_to(folder).as_posix())
            try:
                about = path.lstat()
            except OSError as error:
                found.append(File(inside, 0, 0, fault=f"{name} cannot be read ({error.strerror})"))
                continue
            if stat.S_ISLNK(about.st_mode):
                found.append(File(inside, 0, about.st_mtime, fault=f"{name} is a link, which is not followed"))
            elif not stat.S_ISREG(about.st_mode):
                found.append(File(inside, 0, about.st_mtime, fault=f"{name} is no ordinary file"))
            else:
                found.append(File(inside, about.st_size, about.st_mtime, reader(path)))
    return found


def files_of_zip(archive, most=DOWNLOAD_ENTRIES):
    """Return the files of an open ZipFile as a list of :class:`File`; what is wrong with one stands in its ``fault``."""
    entries = archive.infolist()
    if len(entries) > most:
        raise Refused(f"the zip holds {len(entries)} files; more than {most} are not taken")
    found = []
    for entry in entries:
        if entry.is_dir():
            continue
        fault = fault_of(entry.filename)
        mode = entry.external_attr >> 16
        if not fault and stat.S_ISLNK(mode):
            fault = "a link is in the zip, which is not followed"
        if not fault and entry.flag_bits & 1:
            fault = "the zip is encrypted; hand it in without a password"
        try:
            time = datetime(*entry.date_time).timestamp()
        except ValueError:
            time = 0
        parts = [one for one in PurePosixPath(entry.filename.replace("\\", "/")).parts if one not in ("/", "..")]
        path = PurePosixPath(*parts) if parts else PurePosixPath("nameless")

        def read(limit, entry=entry):
            with archive.open(entry) as file:
                return file.read(limit + 1)

        found.append(File(path, entry.file_size, time, read, fault))
    return found


def contents(file, limit, what="the file"):
    """Return a file's bytes; :class:`Refused` if it is faulty, larger than ``limit`` bytes, or damaged."""
    if file.fault:
        raise Refused(file.fault)
    try:
        data = file.read(limit)
    except BROKEN as error:
        raise Refused(f"{what} {file.path.name} is damaged ({type(error).__name__})") from error
    # What a zip says of its sizes may be untrue: only what comes out counts.
    if len(data) > limit:
        raise Refused(f"{what} {file.path.name} is larger than {limit // MIB} MB")
    return data


# ---------------------------------------------------------------- whose is it?


def slug(name):
    """Return a name as an id: letters, digits, '-', '.' and '_'; '' if none of it remains."""
    name = unicodedata.normalize("NFC", name).strip()
    return re.sub(r"_+", "_", re.sub(r"[^\w.@-]", "_", name)).strip("._")[:100]


def key_of(name):
    """Return a name as lists of students are searched: small letters and digits alone, without order of the words."""
    folded = unicodedata.normalize("NFKD", name).casefold()
    return "".join(sorted(re.sub(r"[^\w]|_", "", folded)))


def read_roster(path):
    """Return the list of students of a CSV file, {what a platform calls one: id}.

    Columns: ``student`` (the id to use) and ``name`` (as the platform shows it), ``number`` (the platform's own), or both.
    """
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CollectError(f"the list of students {path} cannot be read: {error}") from error
    if not rows or "student" not in rows[0] or not {"name", "number"} & rows[0].keys():
        raise CollectError(f"the list of students {path} needs the columns student, and name or number")
    roster = {}
    for row in rows:
        student = slug(row["student"] or "")
        if student:
            roster[student] = student
            if row.get("number"):
                roster["#" + row["number"].strip()] = student
            if row.get("name"):
                roster["=" + key_of(row["name"])] = student
    return roster


def owner(file, layout):
    """Return whose a file is: (name, the platform's number, path within the submission, order, late), or None for noise.

    ``order`` sorts resubmissions: larger is later.
    """
    first, *rest = file.path.parts
    if NOISE & set(file.path.parts) or first.startswith("."):
        return None
    if layout.startswith("moodle"):
        match = MOODLE.fullmatch(first)
        if not match:
            return None
        inside = rest or [match["file"] or first]
        if match["kind"] == "onlinetext":
            return None
        return match["name"], match["number"], PurePosixPath(*inside), (file.time,), False
    if layout == "canvas":
        match = CANVAS.fullmatch(first) or CANVAS_ANONYMOUS.fullmatch(first)
        if not match:
            return None
        late = bool(match["late"]) or first.startswith("LATE_")
        return match["name"], match["number"], PurePosixPath(match["file"], *rest), (int(match["attachment"]),), late
    name = first if rest else PurePosixPath(first).stem
    return name, "", PurePosixPath(*rest) if rest else PurePosixPath(first), (file.time,), False


def is_platforms(name):
    """Tell whether Moodle or Canvas made this name of a file."""
    return any(one.fullmatch(name) for one in (MOODLE, CANVAS, CANVAS_ANONYMOUS))


def tops_of(files):
    """Return the names at the top of a download, and those of them that are folders: two sets."""
    return {one.path.parts[0] for one in files}, {one.path.parts[0] for one in files if len(one.path.parts) > 1}


def platforms_layout(files):
    """Return 'moodle', 'moodle flat' or 'canvas' if the names at the top of a download are of that platform, else None."""
    tops, folders = tops_of(files)
    if folders and all(MOODLE.fullmatch(one) for one in folders) and len(folders) >= len(tops) / 2:
        return "moodle"
    loose = tops - folders
    if sum(bool(MOODLE.fullmatch(one)) for one in loose) > len(tops) / 2:
        return "moodle flat"
    canvas = sum(bool(CANVAS.fullmatch(one) or CANVAS_ANONYMOUS.fullmatch(one)) for one in loose)
    texts = sum(bool(CANVAS_TEXT.fullmatch(one)) for one in loose)
    return "canvas" if canvas and canvas + texts > len(tops) / 2 else None


def is_one_student(paths, name):
    """Tell whether the files below a folder, by their paths, are one student's submission rather than a class."""
    if {path.parts[1] for path in paths} == {name}:
        return True
    inside = {path.parts[1] for path in paths if len(path.parts) == 2}
    notebooks = {one for one in inside if one.endswith(".ipynb") and not is_platforms(one)}
    # Several notebooks side by side, none under the assignment's name, are a class.
    return f"{name}.ipynb" in notebooks or len(notebooks) == 1


def is_wrapped(files, name):
    """Tell whether one folder stands around everything that is the download's own, and not the only student's."""
    tops, folders = tops_of(files)
    if len(tops) != 1 or not folders:
        return False
    return tops == {"submitted"} or not is_one_student([one.path for one in files if len(one.path.parts) > 1], name)


def recognise(files, name):
    """Return the layout of a download ('moodle', 'moodle flat', 'canvas' or 'plain') and its files, without a wrapping folder."""
    files = [one for one in files if not (NOISE & set(one.path.parts))]
    for _ in range(3):
        layout = platforms_layout(files)
        if layout:
            return layout, files
        if not is_wrapped(files, name):
            break
        files = [replace(one, path=PurePosixPath(*one.path.parts[1:])) for one in files if len(one.path.parts) > 1]
    return "plain", files


def student_of(name, number, layout, roster, shares_name):
    """Return a student's id, and a remark if the list of students (``roster``, or None) lacks the name, else ''.

    ``shares_name``: whether another student of the download is called the same, so that only the platform's number tells them apart.
    """
    known = roster and (roster.get("#" + number) or roster.get("=" + key_of(name)) or roster.get(slug(name)))
    if known:
        return known, ""
    student = slug(name)
    if layout == "canvas" or not student or (number and shares_name):
        student = f"{student or 'student'}_{number}"
    return student, "is not in the list of students" if roster else ""


def by_student(files, layout, roster):
    """Sort a download's files by student; returns a list of :class:`Found`."""
    owners, numbers = {}, {}
    for file in files:
        whose = owner(file, layout)
        if whose is not None:
            name, number, *entry = whose
            owners.setdefault((name, number), []).append((file, *entry))
            numbers.setdefault(slug(name), set()).add(number)
    found = {}
    for (name, number), entries in owners.items():
        student, remark = student_of(name, number, layout, roster, len(numbers[slug(name)]) > 1)
        one = found.setdefault(student, Found(student))
        if remark:
            one.remark(remark)
        for file, inside, order, late in entries:
            one.add(file, inside, order)
            if late:
                one.remark("Canvas marked it as late")
    return [found[key] for key in sorted(found)]


# ---------------------------------------------------------------- one submission


def unpacked(found, stack):
    """Return a student's files with those inside their zips, as (File, path, order, origin); zips stay open in ``stack``."""
    all_files = []
    for file, inside, order, origin in found.files:
        if inside.suffix.lower() != ".zip":
            all_files.append((file, inside, order, origin))
            continue
        data = contents(file, ZIP_BYTES, "the zip")
        try:
            archive = stack.enter_context(zipfile.ZipFile(io.BytesIO(data)))
        except BROKEN as error:
            raise Refused(f"the zip {file.path.name} is damaged or incomplete; hand it in again") from error
        entries = files_of_zip(archive, ZIP_ENTRIES)
        if sum(one.size for one in entries) > ZIP_BYTES:
            raise Refused(f"the zip {file.path.name} would unpack to more than {ZIP_BYTES // MIB} MB")
        for one in entries:
            if NOISE & set(one.path.parts):
                continue
            if one.path.suffix.lower() == ".zip":
                one.fault = "a zip inside a zip is not unpacked"
            all_files.append((one, inside.parent / one.path, (*order, one.time), origin))
    return all_files


def parsed(data):
    """Return a notebook's JSON as a dict with a list of cells; :class:`Refused` if it is none, or too large to be one."""
    try:
        raw = json.loads(data.decode("utf-8-sig"))
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise Refused("the notebook is no JSON: it was not saved by Jupyter or is cut off") from error
    if not isinstance(raw, dict) or not isinstance(raw.get("cells", raw.get("worksheets")), list):
        raise Refused("the file is called .ipynb but is no notebook: it has no list of cells")
    if len(raw.get("cells", [])) > CELLS:
        raise Refused(f"the notebook has more than {CELLS} cells")
    return raw


def without_outputs(raw):
    """Take the outputs out of a notebook's JSON: they are thrown away in any case, and a broken one is no reason to refuse."""
    raw.setdefault("nbformat_minor", 0)
    raw.setdefault("metadata", {})
    for cell in raw.get("cells", []):
        if isinstance(cell, dict):
            cell.setdefault("metadata", {})
            if cell.get("cell_type") == "code":
                cell["outputs"], cell["execution_count"] = [], None
    return raw


def in_format_4(raw):
    """Return a notebook in nbformat 4, valid and with an id in every cell where its format has them; raises what the parsers do."""
    notebook = nbformat.convert(nbformat.from_dict(raw), 4)
    for cell in notebook.cells:
        if isinstance(cell.source, list):
            cell.source = "".join(cell.source)
        if notebook.nbformat_minor < 5:
            cell.pop("id", None)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # cells without ids, or with one id twice, get new ones: no news for a teacher
        _, notebook = nbformat.validator.normalize(notebook)
    nbformat.validate(notebook, relax_add_props=True)
    return notebook


def read_notebook(data):
    """Return a notebook from bytes, in nbformat 4; :class:`Refused` if it is none or too large to be one."""
    raw = parsed(data)
    try:
        notebook = in_format_4(without_outputs(raw))
    except Exception as error:  # whatever a made-up file leads the parsers to
        sentence = str(error).splitlines()[0][:150] if str(error) else type(error).__name__
        raise Refused(f"the file is called .ipynb but is no valid notebook ({sentence})") from error
    if sum(len(cell.source) for cell in notebook.cells) > SOURCE_CHARACTERS:
        raise Refused(f"the notebook holds more than {SOURCE_CHARACTERS:,} characters of text and code")
    return notebook


def grade_ids(notebook):
    """Return the set of nbgrader's grade_ids in a notebook."""
    found = set()
    for cell in notebook.cells:
        about = grading(cell)
        name = about.get("grade_id") if isinstance(about, dict) else None
        if isinstance(name, str):
            found.add(name)
    return found


def candidates_of(found, files, name, known):
    """Return a submission's notebooks of this assignment, the names of its other notebooks, and the faults of its files.

    A candidate is (what counts for it, notebook, File, path inside, origin); the largest first part wins.
    """
    candidates, others, faults = [], [], []
    for file, inside, order, origin in files:
        if inside.suffix.lower() != ".ipynb":
            if file.fault:
                faults.append(file.fault)
            continue
        try:
            notebook = read_notebook(contents(file, NOTEBOOK_BYTES, "the notebook"))
        except Refused as error:
            faults.append(str(error))
            continue
        if grade_ids(notebook) & known:
            resubmission = re.search(r"-(\d+)\.ipynb$", inside.name)
            exact = inside.name == f"{name}.ipynb"
            later = int(resubmission[1]) if resubmission else 0
            # Across submissions the later one wins, within one the notebook under its own name.
            candidates.append(((found.origins[origin], exact, order, later), notebook, file, inside, origin))
        else:
            others.append(inside.name)
    return candidates, others, faults


def why_none(name, others, faults):
    """Return why a submission holds no notebook of this assignment, a sentence."""
    if faults:
        return "; ".join(dict.fromkeys(faults))
    if others:
        return (
            f"{', '.join(others[:3])} holds no cell of {name}: another assignment, or a copy without nbgrader's metadata; "
            "hand in the notebook that was given out"
        )
    return f"there is no notebook: hand in {name}.ipynb"


def choose(found, files, name, known):
    """Return the notebook that counts: (notebook, File, path inside, origin). :class:`Refused` if there is none."""
    candidates, others, faults = candidates_of(found, files, name, known)
    if not candidates:
        raise Refused(why_none(name, others, faults))
    found.remarks += [f"left out: {one}" for one in dict.fromkeys(faults)]
    _, notebook, file, inside, origin = max(candidates, key=lambda one: one[0])
    origins = {one[4] for one in candidates}
    if len(origins) > 1:
        found.remarks.append(f"handed in {len(origins)} times; {origin} counts")
    elif len(candidates) > 1:
        found.remarks.append(f"{len(candidates)} notebooks of this assignment; {file.path.name} counts")
    if inside.name != f"{name}.ipynb":
        found.remarks.append(f"the notebook was called {inside.name}")
    return notebook, file, inside, origin


def extras(found, files, chosen, origin):
    """Return the other files of a submission that travel with its notebook, {relative path: bytes}."""
    kept, total = {}, 0
    base = chosen.parent
    for file, inside, _, of in files:
        if of != origin or inside.suffix.lower() in (".ipynb", ".zip") or inside == chosen:
            continue
        try:
            relative = inside.relative_to(base)
        except ValueError:
            continue
        if file.fault or fault_of(str(relative)):
            continue
        if relative.suffix == ".py" and hides_a_module(relative):
            found.remarks.append(f"{relative} is left out: it would hide a module of that name")
            continue
        if len(kept) >= EXTRA_FILES or total + file.size > EXTRA_BYTES:
            found.remarks.append(f"more files than {EXTRA_FILES} or {EXTRA_BYTES // MIB} MB: the rest is left out")
            break
        try:
            kept[relative] = contents(file, EXTRA_BYTES - total)
        except Refused as error:
            found.remarks.append(f"left out: {error}")
            continue
        total += len(kept[relative])
    return kept


def hides_a_module(path):
    """Tell whether a Python file at the top of a submission has the name of an installed module."""
    stem = path.parts[0].removesuffix(".py")
    if stem in sys.builtin_module_names or stem in sys.stdlib_module_names:
        return True
    try:
        spec = importlib.util.find_spec(stem)
    except (ImportError, ValueError):
        return False
    return spec is not None and "site-packages" in str(spec.origin or spec.submodule_search_locations)


def to_be_kept(found, name, known, given):
    """Return what a submission's folder shall hold, {path relative to it: bytes}; names in ``given`` are left out."""
    with contextlib.ExitStack() as stack:
        files = unpacked(found, stack)
        notebook, file, inside, origin = choose(found, files, name, known)
        others = extras(found, files, inside, origin)
    text = nbformat.writes(notebook, version=nbformat.NO_CONVERT) + "\n"
    kept = {f"{name}.ipynb": text.encode("utf-8", "replace")}
    kept |= {str(path): data for path, data in others.items() if str(path) not in given and path.name != STAMP}
    if file.time:
        when = datetime.fromtimestamp(file.time, UTC)
        kept[STAMP] = when.strftime("%Y-%m-%d %H:%M:%S.%f UTC").encode()
    return kept


def put(files, target):
    """Write ``files``, {relative path: bytes}, into a new folder, which then takes the place of ``target``."""
    target.parent.mkdir(parents=True, exist_ok=True)
    new = Path(tempfile.mkdtemp(prefix=".new-", dir=target.parent))
    try:
        for path, data in files.items():
            (new / path).parent.mkdir(parents=True, exist_ok=True)
            (new / path).write_bytes(data)
        new.chmod(0o755)
        if target.exists():
            shutil.rmtree(target)
        new.rename(target)
    finally:
        shutil.rmtree(new, ignore_errors=True)


def without_stamp(files):
    """Return the files of a submission's folder but for its time."""
    return {path: data for path, data in files.items() if path != STAMP}


def take(found, name, known, course, given=()):
    """Put one student's submission into the course folder; returns its :class:`Line`. ``given``: names of files not to take."""
    target = Path(course) / "submitted" / found.student / name
    kept = to_be_kept(found, name, known, given)
    present = {
        path.relative_to(target).as_posix(): path.read_bytes() for path in sorted(target.rglob("*")) if path.is_file()
    }
    if without_stamp(present) == without_stamp(kept):
        return Line(found.student, "unchanged", found.remarks)
    before, now = present.get(STAMP, b""), kept.get(STAMP, b"")
    if before and now and before > now:
        return Line(found.student, "unchanged", [*found.remarks, "older than the one collected before, which is kept"])
    put(kept, target)
    return Line(found.student, "collected", found.remarks)


def collect(submissions, course, name, known, roster=None, given=()):
    """Collect a download into ``course/submitted``; returns the layout and the report, a list of :class:`Line`.

    Parameters
    ----------
    submissions : path of a folder or a zip
    course : path of nbgrader's course folder
    name : str, the assignment
    known : set of the assignment's grade_ids, by which its notebooks are known whatever they are called
    roster : dict of `read_roster`, or None
    given : names of files that the assignment gives out; they are not taken from submissions
    """
    submissions = Path(submissions)
    with contextlib.ExitStack() as stack:
        if submissions.is_dir():
            files = files_of_folder(submissions)
        elif submissions.is_file():
            try:
                files = files_of_zip(stack.enter_context(zipfile.ZipFile(submissions)))
            except (*BROKEN, Refused) as error:
                raise CollectError(f"{submissions} cannot be read as a zip ({error}); download it again") from error
        else:
            raise CollectError(f"{submissions} is missing: name the folder or the zip of the submissions")
        layout, files = recognise(files, name)
        lines = []
        for found in by_student(files, layout, roster):
            try:
                lines.append(take(found, name, known, course, given))
            except Refused as error:
                lines.append(Line(found.student, "refused", [str(error), *found.remarks]))
            except Exception as error:  # no fault of one submission may cost the others
                sentence = f"could not be read ({type(error).__name__}: {str(error)[:200]})"
                lines.append(Line(found.student, "refused", [sentence, *found.remarks]))
    if not lines:
        raise CollectError(
            f"no submission was found in {submissions}: expected are the layouts of Moodle, Canvas, or a folder, zip or "
            "notebook for each student; see coursework/README.md"
        )
    return layout, lines

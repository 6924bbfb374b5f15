"""Collecting: the layouts of Moodle, Canvas and plain folders, and everything that can be wrong with a submission."""

import hashlib
import io
import json
import os
import struct
import time
import zipfile

import nbformat
import pytest
import tiny_class
from tiny_class import NAME, RIGHT, answered, hand_in

from coursework.grade import collecting
from coursework.grade.collecting import CollectError, collect

KNOWN = {"given_setup", *RIGHT, *(f"test_{task}" for task in RIGHT), "written_ink"}


@pytest.fixture(scope="session")
def notebook():
    """Return a notebook with the tiny assignment's cells; for collecting, the source will do."""
    return nbformat.read(tiny_class.SOURCES / NAME / f"{NAME}.ipynb", as_version=4)


@pytest.fixture
def course(tmp_path):
    folder = tmp_path / "course"
    folder.mkdir()
    return folder


def marked(notebook, word):
    """Return the notebook's text with a word in it by which a test knows it again."""
    return nbformat.writes(answered(notebook, {"ink_of": f"# {word}"}))


def taken(course, student):
    """Return the collected notebook's text, '' if there is none."""
    path = course / "submitted" / student / NAME / f"{NAME}.ipynb"
    return path.read_text() if path.is_file() else ""


def collected(folder, course, **more):
    """Collect; returns the layout and {student: line}."""
    layout, lines = collect(folder, course, NAME, KNOWN, **more)
    return layout, {line.student: line for line in lines}


def write(folder, files):
    """Write {path: text or bytes} below a folder."""
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data.encode() if isinstance(data, str) else data)
    return folder


def zipped(files, path=None):
    """Write {name: text or bytes} into a zip; returns its bytes."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    if path:
        path.write_bytes(file.getvalue())
    return file.getvalue()


# ---------------------------------------------------------------- layouts


def layouts(notebook):
    """Return the same two submissions as each platform gives them: {layout: (files, ids)}."""
    ada, bob = marked(notebook, "of ada"), marked(notebook, "of bob")
    return {
        "moodle": (
            {
                "Lovelace Ada_1234567_assignsubmission_file_/tiny.ipynb": ada,
                "Builder Bob_1234568_assignsubmission_file_/work/tiny (1).ipynb": bob,
                "Builder Bob_1234568_assignsubmission_onlinetext_/onlinetext.html": "<p>see file</p>",
            },
            {"ada": "Lovelace_Ada", "bob": "Builder_Bob"},
        ),
        "moodle without the last underscore": (
            {
                "Lovelace Ada_1234567_assignsubmission_file/tiny.ipynb": ada,
                "Builder Bob_1234568_assignsubmission_file/tiny.ipynb": bob,
            },
            {"ada": "Lovelace_Ada", "bob": "Builder_Bob"},
        ),
        "moodle flat": (
            {
                "Lovelace Ada_1234567_assignsubmission_file_tiny.ipynb": ada,
                "Builder Bob_1234568_assignsubmission_file_my work.ipynb": bob,
            },
            {"ada": "Lovelace_Ada", "bob": "Builder_Bob"},
        ),
        "canvas": (
            {"lovelaceada_12345_67890_tiny.ipynb": ada, "builderbob_LATE_12346_67891_tiny-1.ipynb": bob},
            {"ada": "lovelaceada_12345", "bob": "builderbob_12346"},
        ),
        "canvas, anonymous": (
            {"anon_ab1cd_67890_tiny.ipynb": ada, "anon_LATE_ef2gh_67891_tiny.ipynb": bob},
            {"ada": "anon_ab1cd", "bob": "anon_ef2gh"},
        ),
        "plain folders": (
            {"ada/tiny.ipynb": ada, "bob/tiny/tiny.ipynb": bob, "bob/notes.txt": "x"},
            {"ada": "ada", "bob": "bob"},
        ),
        "plain zips": (
            {"ada.zip": zipped({"tiny/tiny.ipynb": ada}), "bob.zip": zipped({"tiny.ipynb": bob})},
            {"ada": "ada", "bob": "bob"},
        ),
        "plain notebooks": ({"ada.ipynb": ada, "bob.ipynb": bob}, {"ada": "ada", "bob": "bob"}),
        "nbgrader's own": (
            {"submitted/ada/tiny/tiny.ipynb": ada, "submitted/bob/tiny/tiny.ipynb": bob},
            {"ada": "ada", "bob": "bob"},
        ),
    }


LAYOUTS = list(layouts(nbformat.read(tiny_class.SOURCES / NAME / f"{NAME}.ipynb", as_version=4)))


@pytest.mark.parametrize("kind", ["folder", "zip", "zip with a folder around"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_layout_is_recognised(notebook, course, tmp_path, layout, kind):
    files, ids = layouts(notebook)[layout]
    if kind == "folder":
        download = write(tmp_path / "download", files)
    else:
        around = "Course-tiny-4711/" if kind != "zip" else ""
        download = tmp_path / "download.zip"
        zipped({around + "__MACOSX/x": "noise", **{around + name: data for name, data in files.items()}}, download)
    found, lines = collected(download, course)
    assert found.split()[0] == layout.split()[0].strip(",") or layout.startswith("nbgrader")
    assert set(lines) == set(ids.values()), lines
    for who, student in ids.items():
        assert f"# of {who}" in taken(course, student), lines[student]
        assert lines[student].status == "collected"
    if layout == "canvas":
        assert "Canvas marked it as late" in lines["builderbob_12346"].remarks


def test_the_latest_of_resubmissions_counts(notebook, course, tmp_path):
    download = write(
        tmp_path / "canvas",
        {
            "ada_1_100_tiny-2.ipynb": marked(notebook, "third"),
            "ada_1_90_tiny.ipynb": marked(notebook, "first"),
            "ada_1_95_tiny-1.ipynb": marked(notebook, "second"),
            "bob_2_91_tiny.ipynb": marked(notebook, "bobs"),
        },
    )
    _, lines = collected(download, course)
    assert "# third" in taken(course, "ada_1")
    assert any("3 times" in one for one in lines["ada_1"].remarks)
    moodle = write(tmp_path / "moodle", {})
    for number, (name, word) in enumerate([("tiny.ipynb", "new"), ("older.ipynb", "old")]):
        path = hand_in(answered(notebook, {"ink_of": f"# {word}"}), moodle / "Al Jo_77_assignsubmission_file_", name)
        os.utime(path, (1_700_000_000 - number * 1000,) * 2)
    _, lines = collected(moodle, course)
    assert "# new" in taken(course, "Al_Jo")
    assert any("2 notebooks" in one for one in lines["Al_Jo"].remarks)


def test_canvas_with_several_files_of_one_submission(notebook, course, tmp_path):
    files = {
        "ada_1_100_tiny.ipynb": marked(notebook, "work"),
        "ada_1_101_picture.png": b"png",
        "bob_2_102_tiny.ipynb": marked(notebook, "x"),
    }
    _, lines = collected(write(tmp_path / "in", files), course)
    assert "# work" in taken(course, "ada_1") and lines["ada_1"].remarks == []


def test_a_folder_and_a_later_zip_of_one_student(notebook, course, tmp_path):
    download = write(
        tmp_path / "in",
        {"ada/tiny.ipynb": marked(notebook, "early"), "ada.zip": zipped({"tiny.ipynb": marked(notebook, "late")})},
    )
    os.utime(download / "ada" / "tiny.ipynb", (1_600_000_000,) * 2)
    _, lines = collected(download, course)
    assert "# late" in taken(course, "ada")
    assert any("handed in 2 times" in one for one in lines["ada"].remarks)


def test_two_students_of_one_name_stay_two(notebook, course, tmp_path):
    files = {f"Kim Min_{n}_assignsubmission_file_/tiny.ipynb": marked(notebook, f"number {n}") for n in (11, 12)}
    _, lines = collected(write(tmp_path / "in", files), course)
    assert set(lines) == {"Kim_Min_11", "Kim_Min_12"}
    assert "# number 12" in taken(course, "Kim_Min_12")


def test_a_list_of_students_gives_the_ids(notebook, course, tmp_path):
    (tmp_path / "class.csv").write_text("student,name,number\ns1,Ada Lovelace,\ns2,,12346\ns3,Nobody Here,\n")
    roster = collecting.read_roster(tmp_path / "class.csv")
    files, _ = layouts(notebook)["moodle"]
    _, lines = collected(write(tmp_path / "moodle", files), course, roster=roster)
    assert set(lines) == {"s1", "Builder_Bob"} and "is not in the list of students" in lines["Builder_Bob"].remarks
    files, _ = layouts(notebook)["canvas"]
    _, lines = collected(write(tmp_path / "canvas", files), course, roster=roster)
    assert set(lines) == {"s1", "s2"}
    (tmp_path / "bad.csv").write_text("who,what\n1,2\n")
    with pytest.raises(CollectError, match="needs the columns"):
        collecting.read_roster(tmp_path / "bad.csv")


# ---------------------------------------------------------------- faults, each told, none costing the others


def bomb():
    """Return a zip of a quarter of a megabyte that unpacks to 250 MB."""
    return zipped({"tiny.ipynb": b" " * (250 * 1024 * 1024)})


def lying():
    """Return a zip whose directory says that its file is small; it is 60 MB."""
    data = bytearray(zipped({"tiny.ipynb": b" " * (60 * 1024 * 1024)}))
    place = data.rindex(b"PK\x01\x02")
    data[place + 24 : place + 28] = struct.pack("<I", 1000)
    return bytes(data)


def encrypted(text):
    """Return a zip whose entry says that it is encrypted."""
    data = bytearray(zipped({"tiny.ipynb": text}))
    for sign, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = data.rindex(sign)
        data[place + offset] |= 1
    return bytes(data)


def with_link():
    """Return a zip with a symbolic link in place of the notebook."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        entry = zipfile.ZipInfo("tiny.ipynb")
        entry.external_attr = 0o120777 << 16
        archive.writestr(entry, "/etc/passwd")
    return file.getvalue()


def faults(notebook):
    """Return {student: (files of the student, word in the report)}."""
    good = marked(notebook, "good")
    other = json.dumps({"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    return {
        "slip": ({"slip.zip": zipped({"../../../evil.ipynb": good})}, "leads out of its folder"),
        "absolute": ({"absolute.zip": zipped({"/tmp/evil.ipynb": good})}, "absolute"),
        "backslash": ({"backslash.zip": zipped({"..\\..\\evil.ipynb": good})}, "leads out of its folder"),
        "drive": ({"drive.zip": zipped({"C:\\evil.ipynb": good})}, "absolute"),
        "bomb": ({"bomb.zip": bomb()}, "unpack to more than 200 MB"),
        "lying": ({"lying.zip": lying()}, ""),
        "nested": ({"nested.zip": zipped({"inner.zip": zipped({"tiny.ipynb": good})})}, "a zip inside a zip"),
        "encrypted": ({"encrypted.zip": encrypted(good)}, "encrypted"),
        "truncated": ({"truncated.zip": zipped({"tiny.ipynb": good})[:-200]}, "damaged or incomplete"),
        "linkzip": ({"linkzip.zip": with_link()}, "link"),
        "nojson": ({"nojson/tiny.ipynb": "I lost my notebook"}, "no JSON"),
        "cut": ({"cut/tiny.ipynb": good[: len(good) // 2]}, "no JSON"),
        "html": ({"html/tiny.ipynb": "<!doctype html>"}, "no JSON"),
        "fake": ({"fake/tiny.ipynb": '{"cells": "none"}'}, "no list of cells"),
        "deep": ({"deep/tiny.ipynb": "[" * 100_000}, "no JSON"),
        "strange": ({"strange/tiny.ipynb": '{"cells": [1, 2], "nbformat": 4}'}, "no valid notebook"),
        "old": ({"old/tiny.ipynb": '{"nbformat": 99, "cells": [{}]}'}, "no valid notebook"),
        "huge": ({"huge/tiny.ipynb": b'{"cells": [' + b" " * (51 * 1024 * 1024)}, "larger than 50 MB"),
        "long": (
            {"long/tiny.ipynb": marked(notebook, "x" * 2_100_000)},
            "more than 2,000,000 characters",
        ),
        "many": (
            {
                "many/tiny.ipynb": json.dumps(
                    {
                        "cells": [{"cell_type": "raw", "source": ""}] * 3000,
                        "nbformat": 4,
                        "nbformat_minor": 4,
                        "metadata": {},
                    }
                )
            },
            "more than 2000 cells",
        ),
        "other": ({"other/tiny.ipynb": other}, "holds no cell of tiny"),
        "nothing": ({"nothing/readme.txt": "sorry"}, "there is no notebook"),
    }


def test_every_fault_is_told_and_costs_the_others_nothing(notebook, course, tmp_path):
    kinds = faults(notebook)
    download = tmp_path / "in"
    for files, _ in kinds.values():
        write(download, files)
    write(download, {"ada/tiny.ipynb": marked(notebook, "of ada"), "zoe/renamed.ipynb": marked(notebook, "of zoe")})
    (download / "link").mkdir()
    (tmp_path / "secret.ipynb").write_text(marked(notebook, "a secret"))
    (download / "link" / "tiny.ipynb").symlink_to(tmp_path / "secret.ipynb")
    (download / "linked").symlink_to(tmp_path, target_is_directory=True)
    before = {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in download.rglob("*") if path.is_file()}
    started = time.monotonic()
    _, lines = collected(download, course)
    assert time.monotonic() - started < 60
    for student, (_, word) in kinds.items():
        assert lines[student].status == "refused", (student, lines[student])
        assert word in lines[student].remarks[0], (student, lines[student])
        assert not taken(course, student)
    assert lines["link"].status == lines["linked"].status == "refused"
    assert "is a link" in lines["link"].remarks[0] and "is a link" in lines["linked"].remarks[0]
    assert "# of ada" in taken(course, "ada") and "# of zoe" in taken(course, "zoe")
    assert "the notebook was called renamed.ipynb" in lines["zoe"].remarks
    assert before == {
        path: hashlib.sha256(path.read_bytes()).hexdigest() for path in download.rglob("*") if path.is_file()
    }
    assert not list(tmp_path.rglob("evil*"))
    assert not list((course / "submitted").rglob(".new-*"))


def test_a_download_that_is_no_zip_or_is_missing(course, tmp_path):
    (tmp_path / "broken.zip").write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(CollectError, match="cannot be read as a zip"):
        collected(tmp_path / "broken.zip", course)
    with pytest.raises(CollectError, match="is missing"):
        collected(tmp_path / "nowhere", course)
    (tmp_path / "empty").mkdir()
    with pytest.raises(CollectError, match="no submission was found"):
        collected(tmp_path / "empty", course)


def test_other_files_travel_but_never_hide_a_module_or_a_given_file(notebook, course, tmp_path):
    files = {
        "ada/tiny.ipynb": marked(notebook, "x"),
        "ada/mine.py": "a = 1",
        "ada/pictures/one.png": b"png",
        "ada/numpy.py": "evil = 1",
        "ada/json.py": "evil = 1",
        "ada/lab.py": "evil = 1",
        "bob/tiny.ipynb": marked(notebook, "y"),
        "bob/big.bin": b"0" * (11 * 1024 * 1024),
    }
    _, lines = collected(write(tmp_path / "in", files), course, given={"lab.py"})
    folder = course / "submitted" / "ada" / NAME
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert names == {"tiny.ipynb", "mine.py", "pictures/one.png", "timestamp.txt"}
    assert any("numpy.py is left out" in one for one in lines["ada"].remarks)
    assert any("more files than" in one for one in lines["bob"].remarks)


def test_collecting_again_changes_only_what_changed(notebook, course, tmp_path):
    files = {"ada/tiny.ipynb": marked(notebook, "first"), "bob/tiny.ipynb": marked(notebook, "bobs")}
    download = write(tmp_path / "in", files)
    collected(download, course)
    _, lines = collected(download, course)
    assert {line.status for line in lines.values()} == {"unchanged"}
    write(download, {"ada/tiny.ipynb": marked(notebook, "second")})
    os.utime(download / "ada" / "tiny.ipynb", (time.time() + 60,) * 2)
    _, lines = collected(download, course)
    assert lines["ada"].status == "collected" and lines["bob"].status == "unchanged"
    assert "# second" in taken(course, "ada")
    write(download, {"ada/tiny.ipynb": marked(notebook, "an old one")})
    os.utime(download / "ada" / "tiny.ipynb", (1_600_000_000,) * 2)
    _, lines = collected(download, course)
    assert "# second" in taken(course, "ada") and "older than the one" in lines["ada"].remarks[-1]


@pytest.mark.parametrize("name", ["Müller Jürgen", "O'Neil Ann-Marie", "李 小龍", "..", "a/b", "x" * 300, "=cmd()", ""])
def test_ids_are_safe_names_of_folders(name):
    made = collecting.slug(name)
    assert "/" not in made and made not in (".", "..") and len(made) <= 100 and not made.startswith((".", "=", "-"))

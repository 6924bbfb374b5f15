"""How runs are kept: each at once, on a line of its own in ``NAME.EDITION.partial``; all together, in one step, in ``NAME.json``.

A kill at any moment, a full disk or a line cut short costs no run that was kept, and the recording is the old one or the new.
"""

import contextlib
import json
import os
import re
import sys

from experiments.bench.agree import faults_between, run_faults
from helpers.measurements import digest, folder

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None


class RecordingError(Exception):
    """A recording cannot be made. The message names it, the fault and the cure."""


def read_partial(path, stamp):
    """Return the finished runs of an interrupted recording that carry the same stamp; drop a last line cut short."""
    runs = []
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return runs
    for line in lines:
        try:
            run = json.loads(line)
        except ValueError:
            continue
        if isinstance(run, dict) and run.pop("stamp", None) == stamp:
            runs.append(run)
    return runs


def keep_run(path, run, stamp):
    """Append a finished run to the partial recording, on a line of its own even after a line cut short."""
    with path.open("a+b") as file:
        if file.tell():
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b"\n":
                file.write(b"\n")
        file.write((json.dumps({**run, "stamp": stamp}) + "\n").encode())
        file.flush()
        os.fsync(file.fileno())


def jsonable(value):
    """NumPy's numbers and arrays as Python's; used where JSON does not know what to do."""
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"a result holds a {type(value).__name__}, which JSON cannot keep")


def key(settings):
    """Settings as a text, to find a run by."""
    return json.dumps(settings, sort_keys=True, default=jsonable)


def read_recording(path):
    """Return the editions of the recording at ``path``: none if there is no file, or a damaged one."""
    try:
        return dict(json.loads(path.read_text(encoding="utf-8"))["editions"])
    except FileNotFoundError:
        return {}
    except (ValueError, KeyError, TypeError):
        print(f"{path} is damaged: recording it again", file=sys.stderr)
        return {}


def write_whole(path, content):
    """Write JSON to ``path`` in one step: a full disk or a kill leaves the old file or the new, never a half."""
    text = json.dumps(content, indent=1)
    # A list of numbers stands on one line: a thousand lines of digits help nobody who reads the file. Strings are left
    # alone.
    text = re.sub(
        r'("(?:[^"\\]|\\.)*")|\[\s+([^\[\]{}"]*?)\s+\]',
        lambda found: found[1] or "[" + re.sub(r"\s*\n\s*", " ", found[2]) + "]",
        text,
    )
    half = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        half.write_text(text + "\n", encoding="utf-8")
        os.replace(half, path)
    finally:
        half.unlink(missing_ok=True)


class Recording:
    """The runs of one experiment in one edition: those that are there, those that are missing.

    Parameters
    ----------
    one : Experiment
    edition : "full" or "sample"
    machine : dict
        Where runs whose time is a result would be made now, as ``machine.here`` gives it.
    again : bool
        Whether the runs of the recording count as missing.

    Raises
    ------
    MeasurementError
        If a recording that the experiment needs is not there.
    """

    def __init__(self, one, edition, machine, again=False):
        self.one, self.edition, self.machine = one, edition, machine
        self.path = folder() / f"{one.name}.json"
        self.partial = folder() / f"{one.name}.{edition}.partial"
        self.stamp = one.stamp()
        self.wanted = one.runs(edition)
        kept = [] if again else self.recorded()
        self.up_to_date = bool(kept) and [key(run["settings"]) for run in kept] == [key(one) for one in self.wanted]
        if self.up_to_date:
            self.done = {key(run["settings"]): run for run in kept}
            self.partial.unlink(missing_ok=True)  # a kill came after the merging
        else:
            # Finished runs count if this very code made them: those of the recording (when seeds or variants were added)
            # and those of one interrupted.
            finished = kept + read_partial(self.partial, self.stamp)
            self.done = {key(run["settings"]): run for run in finished if self.counts(run)}

    def recorded(self):
        """Return the runs of the recording if the present code made them, each with its machine in full."""
        content = self.content()
        old = content["editions"].get(self.edition, {})
        try:
            same = {"code": old["code"], "needs": old["needs"]} == self.stamp
            same = same and old["digest"] == digest(content, self.edition)
            return [{**run, "machine": old["machines"][run["machine"]]} for run in old["runs"]] if same else []
        except (KeyError, IndexError, TypeError):
            return []

    def counts(self, run):
        """May a finished run stand beside new ones? Where times are results, only if such a machine makes those as well."""
        return not self.one.timed or {**run["machine"], "date": None} == {**self.machine, "date": None}

    def missing(self, seeds=None):
        """Return the settings of the runs that are not there yet, of these seeds alone if given."""
        return [
            settings
            for settings in self.wanted
            if key(settings) not in self.done and (seeds is None or settings["seed"] in seeds)
        ]

    def content(self):
        """Return what the file holds now, as this experiment's recording: name, module, editions."""
        return {"name": self.one.name, "module": self.one.__module__, "editions": read_recording(self.path)}

    def keep(self, run):
        """Keep a finished run: a dict with settings, result, seconds and machine.

        Raises
        ------
        RecordingError
            If the run's results do not agree with each other, as the experiment says that they do.
        """
        self.refuse(run_faults(self.one, run["settings"], run["result"], self.edition, seconds=run["seconds"]))
        keep_run(self.partial, run, self.stamp)
        self.done[key(run["settings"])] = run

    def merge(self):
        """Write the recording, which must be complete, and delete the partial file.

        Raises
        ------
        RecordingError
            If two runs have the same result and the experiment does not say that they may.
        """
        machines, runs = [], []
        for settings in self.wanted:
            run = self.done[key(settings)]
            if run["machine"] not in machines:
                machines.append(run["machine"])
            runs.append({**run, "machine": machines.index(run["machine"])})
        self.refuse(faults_between(self.one, runs))
        content = self.content()
        content["editions"][self.edition] = {**self.stamp, "digest": "", "machines": machines, "runs": runs}
        content["editions"][self.edition]["digest"] = digest(content, self.edition)
        write_whole(self.path, content)
        self.partial.unlink(missing_ok=True)

    def refuse(self, faults):
        """Raise RecordingError if there are any."""
        if found := list(faults):
            raise RecordingError(
                f"{self.path.name}, {self.edition} edition: {'; '.join(found[:3])}. It is not stored: the experiment's code is "
                "wrong, or what it declares (holds, distinct, alike)"
            )


@contextlib.contextmanager
def alone_in(path):
    """Hold the folder ``path`` (Path) for one recording program; the system lets go of it when the program ends, however.

    Raises
    ------
    RecordingError
        If another program holds it.
    """
    lock = path / "recording.lock"
    while True:
        file = lock.open("a+", encoding="utf-8")
        try:
            if fcntl:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            else:
                import msvcrt

                file.seek(0)
                msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            file.close()
            raise RecordingError(
                f"another program is recording into {path}{holder(lock)}: wait for it, or stop it"
            ) from None
        # The file may have been deleted, by the program that held it, between our opening and our locking it.
        if not fcntl or (lock.exists() and os.path.samestat(os.fstat(file.fileno()), lock.stat())):
            break
        file.close()
    try:
        file.truncate(0)
        file.write(f"{os.getpid()} on {os.uname().nodename if fcntl else 'this machine'}")
        file.flush()
        yield
    finally:
        if fcntl:  # Windows deletes no open file; it stays, empty of meaning
            lock.unlink(missing_ok=True)
        file.close()


def holder(lock):
    """Return who holds a lock, as far as the file says so."""
    try:
        text = lock.read_text(encoding="utf-8")
    except OSError:
        return ""
    return f" (process {text})" if text else ""

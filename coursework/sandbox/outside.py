"""Run one submission's cells in a bubblewrap sandbox: the trusted side; coursework/sandbox/inside.py is the other one.

What the sandbox has: the system and the virtual environment, read-only; a private copy of the files that belong to the
assignment, in memory and of limited size; its own processes, users and host name; no network. What it lacks: the
gradebook, the sources, other submissions, this repository, the teacher's home and environment. Where that cannot be
had, :class:`IsolationError` says what to do; nothing is ever run without it.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import json
import os
import platform
import re
import secrets
import selectors
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from nbformat.v4 import new_output

from coursework import MIB, ROOT
from coursework.sandbox.memory import Usage, usage

WORKER = Path(__file__).resolve().parent / "inside.py"
# What things are called in the sandbox; the worker is told those that it needs.
HOME, GIVEN, PROGRAM = "/home/student", "/given", "/sandbox/inside.py"
WORK = f"{HOME}/work"
MESSAGE_BYTES = 24 * MIB  # an honest worker stays far below: its limits on text and pictures come first
WATCH_SECONDS = 0.05
TAMPERED = ("ResultsTampered", "wrote to the channel that carries the results")
CURE = (
    "Grading runs students' code, so it runs nothing without isolation. Install bubblewrap 0.7 or later (Debian and Ubuntu: "
    "sudo apt install bubblewrap; Fedora: sudo dnf install bubblewrap), allow user namespaces for it, or grade in the "
    "container of coursework/Containerfile; coursework/README.md says how."
)
#: what may come back in an output, by MIME type; nothing that runs a script in a teacher's browser
MIME_TYPES = ("text/plain", "text/html", "text/latex", "text/markdown", "image/png", "image/jpeg", "image/gif")
HERE = re.compile(
    "|".join(rf"{re.escape(one)}/lib/python[\d.]+/(?:site-packages/)?" for one in {sys.prefix, sys.base_prefix})
)
BASE64 = re.compile(r"[A-Za-z0-9+/=\s]*")
#: Python 3.11 counts the depth of a syntax tree for all threads in one place, so that two that parse at the same time may end
#: with "SystemError: AST constructor recursion depth mismatch" (github.com/python/cpython/issues/106905)
ONE_PARSER = threading.Lock()


class IsolationError(RuntimeError):
    """No isolation can be had on this machine. The message says what failed and what to do."""


@dataclass(frozen=True)
class Limits:
    """What one submission may use. Sizes in MB are of 2**20 bytes.

    Seconds are those of the processor, of all its processes together, so that a busy machine costs nobody marks; the clock may
    show ``patience`` times as many, which ends a cell that sleeps.

    ``memory_mb`` is what all its processes hold together, watched from outside every 50 ms, for an address-space limit
    (RLIMIT_AS) would stop NumPy and TensorFlow, which reserve far more than they use; RLIMIT_DATA, at twice the memory,
    turns one absurd array into a MemoryError of that cell. ``disk_mb`` is the size of each of its folders in memory.
    """

    cell_seconds: float = 30
    submission_seconds: float = 180
    patience: float = 3
    memory_mb: int = 1500
    processes: int = 24
    threads: int = 400
    disk_mb: int = 64
    text_bytes: int = 100_000
    picture_bytes: int = 4 * MIB
    restarts: int = 4

    def for_worker(self):
        """Return the limits that the worker sets on itself, a dict."""
        return {
            "data_bytes": 2 * self.memory_mb * MIB,
            "cpu_seconds": int(2 * self.submission_seconds) + 1,
            "disk_bytes": self.disk_mb * MIB,
            "threads": self.threads if counts_processes_by_namespace() else None,
            "text_bytes": self.text_bytes,
            "picture_bytes": self.picture_bytes,
        }


@dataclass
class Cell:
    """A code cell to run: ``kind`` is 'given', 'student' or 'test'.

    ``hidden`` are the line numbers (from 1) that no student may see; ``forget`` the names that only those lines bind.
    """

    source: str
    kind: str = "student"
    name: str = ""
    hidden: frozenset = frozenset()
    forget: tuple = ()


@dataclass
class Ran:
    """What came of a cell: nbformat outputs, whether it raised, and remarks for the marks (short sentences)."""

    outputs: list
    failed: bool
    remarks: list = field(default_factory=list)
    seconds: float = 0.0


class Interrupted(Exception):
    """The whole grading is being stopped."""


class WorkerStopped(Exception):
    """The worker ended, or was ended, while it ran a cell: a word for the error's name, and a sentence."""

    def __init__(self, name, sentence):
        super().__init__(sentence)
        self.name, self.sentence = name, sentence


def find_bwrap():
    """Return the path of bubblewrap's program, or None."""
    return shutil.which(os.environ.get("BWRAP", "bwrap"))


@functools.cache
def can_disable_namespaces(bwrap):
    """Tell whether this bubblewrap (0.8 and later) can forbid namespaces inside: less of the kernel within reach."""
    told = subprocess.run([bwrap, "--help"], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    return "--disable-userns" in told.stdout + told.stderr


def counts_processes_by_namespace():
    """Tell whether RLIMIT_NPROC counts the sandbox alone (Linux 5.14 and later) rather than all that the user runs."""
    found = re.match(r"(\d+)\.(\d+)", platform.release())
    return bool(found) and (int(found[1]), int(found[2])) >= (5, 14)


def system_mounts():
    """Return bwrap's arguments for the read-only system, the interpreter and the virtual environment."""
    arguments = ["--ro-bind", "/usr", "/usr"]
    for name in ("/bin", "/sbin", "/lib", "/lib64", "/lib32"):
        path = Path(name)
        if path.is_symlink():
            arguments += ["--symlink", os.readlink(name), name]
        elif path.is_dir():
            arguments += ["--ro-bind", name, name]
    for name in ("/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/fonts", "/etc/alternatives"):
        arguments += ["--ro-bind-try", name, name]
    bound = ["/usr/"]
    # The book's folder may lie in a folder that is bound: cover it.
    for private in (ROOT, Path.home()):
        if str(private).startswith("/usr/"):
            arguments += ["--tmpfs", str(private)]
    for folder in dict.fromkeys((sys.base_prefix, sys.base_exec_prefix, sys.prefix)):
        if not any((folder.rstrip("/") + "/").startswith(one) for one in bound) or str(ROOT).startswith("/usr/"):
            arguments += ["--ro-bind", folder, folder]
    return arguments


def command(given, limits, *, info=None):
    """Return the start of bwrap's command line, up to the program to run.

    given : folder with the assignment's files, bound read-only
    info  : file descriptor for bwrap's report of the process number, or None
    """
    bwrap = find_bwrap()
    if not sys.platform.startswith("linux"):
        raise IsolationError(f"Bubblewrap is for Linux, and this is {sys.platform}. {CURE}")
    if not bwrap:
        raise IsolationError(f"The program bwrap was not found. {CURE}")
    size = str(limits.disk_mb * MIB)
    environment = {
        "HOME": HOME,
        "USER": "student",
        "LOGNAME": "student",
        "PATH": f"{sys.prefix}/bin:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "TMPDIR": "/tmp",
        "IPYTHONDIR": f"{HOME}/.ipython",
        "MPLCONFIGDIR": f"{HOME}/.matplotlib",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "CUDA_VISIBLE_DEVICES": "",
        "NBGRADER_EXECUTION": "autograde",
        # several submissions are graded side by side: one thread each
        **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
        **dict.fromkeys(("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"), "1"),
    }
    arguments = [bwrap, "--unshare-all", "--unshare-user", "--uid", "1000", "--gid", "1000", "--cap-drop", "ALL"]
    if can_disable_namespaces(bwrap):
        arguments.append("--disable-userns")
    arguments += ["--die-with-parent", "--new-session", "--hostname", "grading", "--clearenv"]
    for key, value in environment.items():
        arguments += ["--setenv", key, value]
    if info is not None:
        arguments += ["--info-fd", str(info)]
    arguments += ["--proc", "/proc", "--dev", "/dev"]
    for folder in ("/dev/shm", "/tmp", HOME):
        arguments += ["--size", size, "--tmpfs", folder]
    # after these, for the virtual environment may lie below one of them
    arguments += [*system_mounts(), "--ro-bind", str(given), GIVEN, "--ro-bind", str(WORKER), PROGRAM]
    # /proc/sys belongs to the whole machine, and root's files in it can be written without any privilege by whom the kernel
    # takes for root: a sandbox that root starts. bwrap's own root and /dev are folders in memory without a limit of size.
    return [
        *arguments,
        "--remount-ro",
        "/proc",
        "--remount-ro",
        "/dev",
        "--remount-ro",
        "/",
        "--chdir",
        HOME,
    ]


def check_isolation(limits=None):
    """Start an empty sandbox; :class:`IsolationError` if that fails."""
    with tempfile.TemporaryDirectory() as folder:
        start = command(folder, limits or Limits())
        try:
            ran = subprocess.run([*start, "true"], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise IsolationError(f"Bubblewrap could not be started ({error}). {CURE}") from error
    if ran.returncode:
        raise IsolationError(f"Bubblewrap refuses to isolate: {ran.stderr.strip()[:500]}. {CURE}")


class Sandbox:
    """One worker in one sandbox. Use as a context manager; everything in it is dead when that ends."""

    def __init__(self, given, limits, deadline, stop=None, used_before=0.0):
        self.limits, self.deadline, self.stop = limits, deadline, stop
        self.used_before = used_before  # processor seconds of the submission's earlier sandboxes
        self.seconds = self.at_cell = 0.0  # of this one: up to now, up to the cell that runs
        self.peak_mb = 0.0
        self.buffer = bytearray()
        self.printed = {}  # what came out of the file descriptors 1 and 2, past Python: bytes by descriptor
        requests_in, self.requests = os.pipe()
        self.results, results_out = os.pipe()
        info_in, info_out = os.pipe()
        self.token = secrets.token_hex(16)
        settings = json.dumps({"limits": limits.for_worker(), "token": self.token, "given": GIVEN, "work": WORK})
        program = [sys.executable, "-I", PROGRAM, str(requests_in), str(results_out), settings]
        try:
            self.process = subprocess.Popen(
                [*command(given, limits, info=info_out), *program],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                pass_fds=(requests_in, results_out, info_out),
                cwd="/",
            )
        except BaseException:
            for one in (self.requests, self.results, info_in):
                os.close(one)
            raise
        finally:
            for one in (requests_in, results_out, info_out):
                os.close(one)
        self.selector = selectors.DefaultSelector()
        for one in (self.results, self.process.stdout.fileno(), self.process.stderr.fileno()):
            os.set_blocking(one, False)
            self.selector.register(one, selectors.EVENT_READ)
        with os.fdopen(info_in, "rb") as file:
            told = file.read(4096)
        try:
            self.child = int(json.loads(told)["child-pid"])
            self.handle = os.pidfd_open(self.child)
        except (ValueError, KeyError, OSError):
            self.child = self.handle = None

    def __enter__(self):
        self.start()
        return self

    def start(self):
        """Wait until the worker is ready; :class:`IsolationError` if it does not come up."""
        try:
            message = self._receive(time.monotonic() + 120, "ready")
        except WorkerStopped as error:
            said = b"".join(self.printed.values()).decode(errors="replace").strip()
            self.close()
            raise IsolationError(f"The sandbox did not start: {error.sentence}. {said[-1500:]} {CURE}") from error
        if message.get("token") != self.token:
            self.close()
            raise IsolationError("The worker in the sandbox did not answer as it should")

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Kill everything in the sandbox and wait for it."""
        if self.handle is not None:
            self.seconds = max(self.seconds, usage(self.child).seconds)
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self.handle, signal.SIGKILL)  # the first process of its namespace: all die
            os.close(self.handle)
            self.handle = None
        self.process.kill()
        self.process.wait()
        self.selector.close()
        for one in (self.process.stdout, self.process.stderr):
            one.close()
        for one in (self.requests, self.results):
            if one is not None:
                os.close(one)
        self.requests = self.results = None

    def _watch(self):
        """Raise if the sandbox holds or has used more than it may."""
        now = usage(self.child) if self.child else Usage()
        self.peak_mb = max(self.peak_mb, now.memory / MIB)
        self.seconds = max(self.seconds, now.seconds)
        if now.processes > self.limits.processes + 2:  # bwrap's own and the worker
            raise WorkerStopped("ProcessLimit", f"started more than {self.limits.processes} processes")
        if now.threads > self.limits.threads:
            raise WorkerStopped("ProcessLimit", f"started more than {self.limits.threads} threads")
        if now.memory > self.limits.memory_mb * MIB:
            raise WorkerStopped("MemoryLimit", f"needed more than {self.limits.memory_mb} MB of memory")
        if self.seconds - self.at_cell >= self.limits.cell_seconds:
            raise WorkerStopped("TimeLimit", f"ran longer than {self.limits.cell_seconds:g} s")
        if self.used_before + self.seconds >= self.limits.submission_seconds:
            self._too_long_in_all()

    def _too_long_in_all(self):
        raise WorkerStopped("TimeLimit", f"all cells together ran longer than {self.limits.submission_seconds:g} s")

    def _printed(self, descriptor, data):
        """Keep what was printed past Python, up to the limit; the rest is dropped as it is read."""
        kept = self.printed.setdefault(descriptor, bytearray())
        kept += data[: max(0, self.limits.text_bytes - len(kept))]

    def _message(self):
        """Return the next whole message of the buffer, a dict, or None; a malformed one ends the worker."""
        if len(self.buffer) < 4:
            return None
        size = struct.unpack(">I", self.buffer[:4])[0]
        if size > MESSAGE_BYTES:
            raise WorkerStopped(*TAMPERED)
        if len(self.buffer) < 4 + size:
            return None
        data = bytes(self.buffer[4 : 4 + size])
        del self.buffer[: 4 + size]
        try:
            message = json.loads(data)
        except (ValueError, RecursionError):
            message = None
        if not isinstance(message, dict):
            raise WorkerStopped(*TAMPERED)
        return message

    def _receive(self, until, kind):
        """Return the next message; raises :class:`WorkerStopped` at the time ``until`` (monotonic) or on a broken limit."""
        watched = 0.0
        while True:
            message = self._message()
            if message is not None:
                if message.get("kind") != kind:
                    raise WorkerStopped(*TAMPERED)
                return message
            now = time.monotonic()
            self._check_clock(now, until)
            # Until the worker says so, the new process may still see the /proc of this machine.
            if kind != "ready" and now - watched >= WATCH_SECONDS:
                self._watch()
                watched = now
            self._read(min(WATCH_SECONDS, until - now))

    def _check_clock(self, now, until):
        """Raise if the grading is being stopped, or if it is the time ``until`` (monotonic)."""
        if self.stop is not None and self.stop.is_set():
            raise Interrupted
        if now >= until:
            if until >= self.deadline:
                self._too_long_in_all()
            raise WorkerStopped("TimeLimit", f"ran longer than {self.limits.cell_seconds:g} s")

    def _read(self, seconds):
        """Read what the sandbox writes, waiting at most so many seconds for it."""
        for key, _ in self.selector.select(seconds):
            try:
                data = os.read(key.fd, 1 << 16)
            except BlockingIOError:
                continue
            if key.fd == self.results:
                self._take(data)
            elif data:
                self._printed(key.fd, data)
            else:
                self.selector.unregister(key.fd)

    def _take(self, data):
        """Take a piece of a message; nothing at all means that the worker has closed its end."""
        if not data:
            self._ended()
        self.buffer += data
        if len(self.buffer) > MESSAGE_BYTES + 4:
            raise WorkerStopped(*TAMPERED)

    def _ended(self):
        """The results' pipe is closed: say why."""
        try:
            code = self.process.wait(timeout=1)
        except subprocess.TimeoutExpired:
            raise WorkerStopped("ResultsClosed", "closed the channel that carries the results") from None
        for file in (self.process.stdout, self.process.stderr):  # its last words
            with contextlib.suppress(BlockingIOError, ValueError):
                self._printed(file.fileno(), os.read(file.fileno(), 1 << 16))
        if code == 77:
            raise WorkerStopped("ResultsClosed", "closed the channel that carries the results")
        if code in (-signal.SIGXCPU, 128 + signal.SIGXCPU):
            raise WorkerStopped("TimeLimit", "used more processor time than a submission may")
        if code > 128:
            name = signal.Signals(code - 128).name if code - 128 in set(signal.Signals) else f"signal {code - 128}"
            raise WorkerStopped("ProgramEnded", f"ended the program (killed by {name})")
        raise WorkerStopped("ProgramEnded", f"ended the program (exit status {code})")

    def run(self, cell, silent=False):
        """Run one cell; returns :class:`Ran`. :class:`WorkerStopped` if the worker did not live through it."""
        token = secrets.token_hex(16)
        request = {"token": token, "source": cell.source, "kind": cell.kind, "forget": list(cell.forget)}
        data = json.dumps({**request, "silent": silent}).encode()
        self.printed.clear()
        start = time.monotonic()
        until = min(start + self.limits.patience * self.limits.cell_seconds, self.deadline)
        self._watch()
        self.at_cell = self.seconds
        self._send(struct.pack(">I", len(data)) + data, until)
        message = self._receive(until, "done")
        if message.get("token") != token or self.buffer:
            raise WorkerStopped(*TAMPERED)
        ran = understood(message, cell, self.limits)
        ran.seconds = time.monotonic() - start
        if not silent:
            # What libraries print past Python is no sign of failure, so it is never called stderr (which is, for nbgrader).
            text = b"".join(self.printed.values()).decode(errors="replace")
            if text.strip():
                ran.outputs.insert(0, new_output("stream", name="stdout", text=text))
        return ran

    def _send(self, data, until):
        """Write a request, without waiting for ever for a worker that no longer reads."""
        os.set_blocking(self.requests, False)
        while data:
            try:
                data = data[os.write(self.requests, data) :]
            except BlockingIOError:
                if time.monotonic() > until:
                    raise WorkerStopped("TimeLimit", f"ran longer than {self.limits.cell_seconds:g} s") from None
                time.sleep(0.01)
            except BrokenPipeError:
                self._ended()


def text(value, limit):
    """Return ``value`` as text of at most ``limit`` characters that JSON and XML can carry; '' if it is none."""
    if not isinstance(value, str):
        return ""
    return value[:limit].encode("utf-8", "replace").decode("utf-8")


def understood(message, cell, limits):
    """Check the worker's message and build what it tells from scratch; returns :class:`Ran`.

    Nothing is taken over as it is: types and sizes are checked, unknown kinds of output are left out.
    """
    outputs = outputs_of(message.get("outputs"), limits)
    failed = message.get("failed") is not False
    if cell.kind != "test":
        if failed and not any(one.output_type == "error" for one in outputs):
            outputs.append(error_output("Error", "the cell raised an error that it hid", []))
        return Ran(outputs, failed)
    leave_one_result(outputs, cell)
    if failed:
        outputs.append(test_error(message.get("error"), cell))
    return Ran(outputs, failed, remarks_on(message.get("changed")))


def outputs_of(told, limits):
    """Return what the worker tells of a cell's outputs, ``told``, as a list of nbformat outputs of limited size."""
    outputs, room = [], limits.text_bytes + limits.picture_bytes + 10_000
    for one in told[:2000] if isinstance(told, list) else []:
        if room <= 0:
            break
        output = output_of(one, room, limits) if isinstance(one, dict) else None
        if output is not None:
            outputs.append(output)
            room -= size_of(output)
    return outputs


def output_of(told, room, limits):
    """Return one output, a dict that the worker sent, as an nbformat output of at most ``room`` characters; None for no output."""
    kind = told.get("output_type")
    if kind == "stream":
        name = "stderr" if told.get("name") == "stderr" else "stdout"
        return new_output("stream", name=name, text=text(told.get("text"), min(room, limits.text_bytes + 200)))
    if kind in ("display_data", "execute_result") and isinstance(told.get("data"), dict):
        return bundle_of(kind, told["data"], room)
    if kind == "error":
        lines = told.get("traceback")
        lines = [without_paths(text(line, 5000)) for line in lines[:100]] if isinstance(lines, list) else []
        return error_output(text(told.get("ename"), 200), text(told.get("evalue"), 4000), lines)
    return None


def bundle_of(kind, told, room):
    """Return a display or a result with those of its forms that may be shown, of at most ``room`` characters; None if none may."""
    data = {}
    for mime in MIME_TYPES:
        value = text(told.get(mime), room)
        if value and (not mime.startswith("image/") or BASE64.fullmatch(value)):
            data[mime] = value
            room -= len(value)
    if not data:
        return None
    if kind == "execute_result" and "text/plain" in data:
        return new_output(kind, data=data, execution_count=None)
    return new_output("display_data", data=data)


def size_of(output):
    """Return how many characters an output takes of the room; errors are few and short, and take none."""
    if output.output_type == "stream":
        return len(output.text)
    return sum(map(len, output.get("data", {}).values()))


def leave_one_result(outputs, cell):
    """Turn the results among a test cell's outputs into displays, but for the last one if the cell ends in an expression.

    nbgrader takes a result of a test cell for partial credit. Only a test that ends in an expression has one; what else looks
    like one was shown by the code that the test called.
    """
    results = [one for one in outputs if one.output_type == "execute_result"]
    for one in results[:-1] if ends_in_expression(cell.source) else results:
        one.output_type = "display_data"
        one.pop("execution_count", None)


def remarks_on(changed):
    """Return the remark on functions that were put back before the tests, a list of at most one sentence."""
    if not isinstance(changed, list) or not changed:
        return []
    names = ", ".join(text(one, 60) for one in changed[:5] if isinstance(one, str))
    return [f"functions of libraries were replaced, and put back before the tests: {names}"]


def statements_of(source):
    """Return the statements of a piece of code, a list of syntax trees; None if it is no Python, or none that can be read.

    Submissions are run from several threads at once, so this is the only place that parses in the program that grades.
    """
    try:
        with ONE_PARSER:
            return ast.parse(source).body
    except (
        SyntaxError,
        ValueError,
        RecursionError,
        MemoryError,
    ):  # a null byte is a ValueError, deep nesting one of the last
        return None


def ends_in_expression(source):
    """Tell whether a cell's last statement is an expression."""
    body = statements_of(source)
    return body is None or (bool(body) and isinstance(body[-1], ast.Expr))


def without_paths(line):
    """Return a line of a traceback without the folders of this machine, which are no student's business."""
    return HERE.sub("", line)


def error_output(name, value, traceback):
    """Return an nbformat error output."""
    return new_output("error", ename=name or "Error", evalue=value, traceback=traceback or [f"{name}: {value}"])


def test_error(error, cell):
    """Return the error output of a test cell: where it failed, without a line that students may not see.

    ``error`` is what the worker tells: a dict, if it keeps to its part.
    """
    error = error if isinstance(error, dict) else {}
    name, value = text(error.get("ename"), 200) or "Error", text(error.get("evalue"), 4000)
    lines, source = [], cell.source.splitlines()
    places = error.get("places")
    for place in places[:20] if isinstance(places, list) else []:
        if not (isinstance(place, list) and len(place) == 2):
            continue
        number, other = place
        if isinstance(number, int) and 0 < number <= len(source):
            hidden = number in cell.hidden
            lines.append("in a hidden test" if hidden else f"in the test, line {number}: {source[number - 1].strip()}")
        elif isinstance(other, str) and other:
            lines.append("in " + text(other, 500))
    return error_output(name, value, [*dict.fromkeys(lines), f"{name}: {value}"])


def stopped_output(error):
    """Return the error output of a cell that the worker did not live through."""
    return error_output(error.name, error.sentence, [f"{error.name}: this cell {error.sentence}"])


@dataclass
class Submission:
    """What came of all cells of a submission: a list of :class:`Ran`, remarks, peak memory in MB, seconds by the clock, restarts,
    and processor seconds."""

    cells: list
    remarks: list
    peak_mb: float
    seconds: float
    restarts: int
    processor_seconds: float


class Run:
    """The cells of one submission on their way through one sandbox after another; parameters as in `run_cells`."""

    def __init__(self, cells, given, limits, stop):
        self.cells, self.given, self.limits, self.stop = cells, given, limits, stop
        self.start = time.monotonic()
        self.deadline = self.start + limits.patience * limits.submission_seconds
        self.results, self.remarks, self.bad = [], [], set()  # bad: the places of cells that ended a worker
        self.restarts, self.peak, self.used = 0, 0.0, 0.0

    def out_of_time(self):
        """Tell whether the submission has used up the time of all its cells."""
        return time.monotonic() >= self.deadline or self.used >= self.limits.submission_seconds

    def why_no_more(self):
        """Return why no further worker may start, a sentence; None if one may."""
        if self.out_of_time():
            return f"not run: all cells together ran longer than {self.limits.submission_seconds:g} s"
        if self.restarts > self.limits.restarts:
            return f"not run: earlier cells stopped the program {self.restarts} times"
        return None

    def go_on(self):
        """Start a worker, bring it to where the last one ended, and run cells until all are done or one ends the worker."""
        sandbox = Sandbox(self.given, self.limits, self.deadline, self.stop, self.used)
        place, error = 0, None
        try:
            with sandbox:
                for place in range(len(self.cells)):
                    self.run_cell(sandbox, place)
        except WorkerStopped as caught:
            error = caught
        finally:
            self.peak, self.used = max(self.peak, sandbox.peak_mb), self.used + sandbox.seconds
        if error is not None:
            self.stopped(place, error)

    def run_cell(self, sandbox, place):
        """Run the cell at ``place``; one that has run in an earlier worker silently, and not if it is a test or ended one."""
        cell, again = self.cells[place], place < len(self.results)
        if again and (place in self.bad or cell.kind == "test"):
            return
        ran = sandbox.run(cell, silent=again)
        if not again:
            self.results.append(ran)
            self.remarks += [f"{cell.name}: {one}" if cell.name else one for one in ran.remarks]

    def stopped(self, place, error):
        """Note that the cell at ``place`` ended its worker."""
        self.bad.add(place)
        self.restarts += 1
        if place == len(self.results):
            self.results.append(Ran([stopped_output(error)], True))
        elif not self.out_of_time():
            self.remarks.append(f"a cell that had run before did not when it was run again: it {error.sentence}")
        self.remarks.append(f"{self.cells[place].name or f'cell {place + 1}'}: {error.sentence}")

    def leave_out(self, why):
        """Note that the remaining cells are not run."""
        left = self.cells[len(self.results) :]
        self.results += [Ran([error_output("NotRun", why, [f"NotRun: {why}"])], True) for _ in left]
        self.remarks.append(why)


def run_cells(cells, given, limits=None, stop=None):
    """Run the code cells of one submission in order; returns :class:`Submission`, with one result for each cell.

    After an error the next cell runs, as in nbgrader. When a cell ends the worker (it ran too long, needed too much memory,
    left the program), a new worker runs the earlier cells again without that one and without the tests, and goes on
    after it: a loop without end in one task costs that task alone. After ``limits.restarts`` of these, or at the end of
    the submission's time, the remaining cells are told as not run. When the threading.Event ``stop`` is set, everything in the
    sandbox is killed, and :class:`Interrupted` raised.
    """
    run = Run(cells, given, limits or Limits(), stop)
    while len(run.results) < len(cells):
        why = run.why_no_more()
        if why:
            run.leave_out(why)
        else:
            run.go_on()
    seconds = time.monotonic() - run.start
    return Submission(run.results, list(dict.fromkeys(run.remarks)), run.peak, seconds, run.restarts, run.used)

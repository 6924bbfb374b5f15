"""The sandbox: what a submission may use, what it cannot reach, and that its end costs one cell alone."""

import ast
import gc
import os
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil
import pytest

from coursework import MIB, ROOT
from coursework.grade.isolated import bound_names, hidden_lines
from coursework.sandbox import memory, outside
from coursework.sandbox.outside import Cell, IsolationError, Limits, run_cells

QUICK = Limits(cell_seconds=20, memory_mb=400, disk_mb=8, processes=12)


@pytest.fixture
def given(tmp_path):
    folder = tmp_path / "given"
    folder.mkdir()
    (folder / "digits.txt").write_text("3 1 4")
    return folder


def run(given, *cells, limits=QUICK):
    """Run cells, strings or Cell, and return the submission's results."""
    return run_cells([cell if isinstance(cell, Cell) else Cell(cell) for cell in cells], given, limits)


def said(ran):
    """Return all text of a cell's outputs."""
    words = []
    for one in ran.outputs:
        if one.output_type == "stream":
            words.append(one.text)
        elif one.output_type == "error":
            words += [one.ename, one.evalue, *one.traceback]
        else:
            words += [value for mime, value in one.data.items() if mime.startswith("text/")]
    return "\n".join(words)


def test_cells_run_as_in_a_notebook(given):
    cells = run(
        given,
        "import numpy as np\nnp.arange(3)",
        "print(open('digits.txt').read())",
        "%matplotlib inline\nimport matplotlib.pyplot as plt\nplt.plot([1, 2]);",
        "from IPython.display import HTML\nHTML('<b>bold</b>')",
        "class Reader:\n    pass\nimport pickle\ntype(pickle.loads(pickle.dumps(Reader()))).__name__",
        "import asyncio\nawait asyncio.sleep(0)\nimport sys\nprint('warned', file=sys.stderr)",
        "1 / 0",
        "def broken(:",
        "import subprocess\nsubprocess.run(['echo', 'past Python'])",
    ).cells
    assert "array([0, 1, 2])" in said(cells[0]) and cells[0].outputs[0].output_type == "execute_result"
    assert "3 1 4" in said(cells[1])
    assert any("image/png" in one.get("data", {}) for one in cells[2].outputs)
    assert cells[3].outputs[0].data["text/html"] == "<b>bold</b>"
    assert "Reader" in said(cells[4])
    assert cells[5].outputs[0].name == "stderr"
    assert [cell.failed for cell in cells] == [False] * 6 + [True, True, False]
    assert "ZeroDivisionError" in said(cells[6]) and "SyntaxError" in said(cells[7])
    assert "past Python" in said(cells[8])
    assert all(one.name == "stdout" for one in cells[8].outputs if one.output_type == "stream")


# What is tried, and the word that must come of it. The cell after it must run in every case.
HOSTILE = {
    "an endless loop": ("while True:\n    pass", "ran longer than 2 s"),
    "sleep": ("import time\ntime.sleep(1000)", "ran longer than 2 s"),
    "a loop that catches all": (
        "while True:\n    try:\n        while True:\n            pass\n    except BaseException:\n        pass",
        "ran longer than 2 s",
    ),
    "memory without end": (
        "hoard = []\nwhile True:\n    hoard.append(bytearray(10**7))",
        "needed more than 400 MB of memory",
    ),
    "memory of children": (
        "import os, time\nfor _ in range(4):\n    if os.fork() == 0:\n        hoard = bytearray(150 * 10**6)\n        hoard[::4096] = b'x' * len(hoard[::4096])\n"
        "        time.sleep(100)\ntime.sleep(100)",
        "needed more than 400 MB of memory",
    ),
    "one absurd array": ("import numpy as np\nnp.ones((10**6, 10**6))", "MemoryError"),
    "a fork bomb": (
        "import os\nwhile True:\n    try:\n        os.fork()\n    except OSError:\n        pass",
        "started more than 12 processes",
    ),
    "os._exit": ("import os\nos._exit(0)", "ended the program (exit status 0)"),
    "a crash": ("import ctypes\nctypes.string_at(0)", "ended the program (killed by SIGSEGV)"),
    "a kill of itself": (
        "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)",
        "ended the program (killed by SIGKILL)",
    ),
    "sys.exit": ("import sys\nsys.exit(3)", "SystemExit"),
    "a closed result pipe": ("import os\nos.closerange(3, 500)", "closed the channel that carries the results"),
    "input": ("input('your name?')", "there is nobody while a notebook is graded"),
    "a full disk": ("for n in range(3):\n    open(f'big{n}', 'wb').write(b'x' * 7 * 2**20)", "No space left on device"),
    "a huge file": ("open('big', 'wb').write(b'x' * 100 * 2**20)", "OSError"),
    "recursion": ("def deep():\n    return deep()\ndeep()", "RecursionError"),
}


@pytest.mark.parametrize("code,word", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_cell_is_told_in_a_clear_word_and_the_next_one_runs(given, code, word):
    waits = "2 s" in word
    limits = Limits(cell_seconds=2 if waits else 60, memory_mb=400, disk_mb=8, processes=12)
    cells = run(given, "before = 5", code, "print(before + 1)", limits=limits).cells
    assert cells[1].failed and word in said(cells[1])
    assert not cells[2].failed and said(cells[2]).strip() == "6"
    assert not [one for one in psutil.Process().children(recursive=True) if "bwrap" in one.name()]


def test_what_a_sandbox_uses_is_what_its_tree_of_processes_uses(given):
    """Its own list of processes, read every 50 ms, against psutil's look at the whole machine."""

    def own(process):
        told = process.memory_info()
        return told.rss - told.shared

    code = "import os, time\nhoard = bytearray(50 * 10**6)\nhoard[::4096] = b'x' * len(hoard[::4096])\nif os.fork() == 0:\n    time.sleep(100)"
    with outside.Sandbox(given, QUICK, time.monotonic() + 60) as sandbox:
        sandbox.run(Cell(code))
        first = psutil.Process(sandbox.child)
        now, tree = memory.usage(sandbox.child), memory.tree(first)
        assert now.processes == len(tree) == 3  # bubblewrap's own, the worker, and what it forked
        assert now.memory == pytest.approx(memory.held(first, own), abs=2 * MIB) and now.memory > 100 * 10**6
        assert now.threads == sum(one.num_threads() for one in tree)
        assert now.seconds == pytest.approx(sum(sum(one.cpu_times()[:4]) for one in tree), abs=0.1)
    psutil.wait_procs([first], timeout=10)
    assert memory.usage(first.pid) == memory.Usage()


def test_the_inner_side_imports_the_standard_library_and_ipython_alone():
    tree = ast.parse(outside.WORKER.read_text(encoding="utf-8"))
    imports = [one for one in ast.walk(tree) if isinstance(one, ast.Import | ast.ImportFrom)]
    names = {one.module if isinstance(one, ast.ImportFrom) else alias.name for one in imports for alias in one.names}
    assert {name.split(".")[0] for name in names} - sys.stdlib_module_names == {"IPython"}
    assert not any(isinstance(one, ast.ImportFrom) and one.level for one in imports)


def test_a_busy_machine_costs_no_marks_but_the_processors_time_does(given):
    limits = Limits(cell_seconds=2, memory_mb=400, patience=6)
    spend = "import time\nstart = time.process_time()\nwhile time.process_time() - start < {}:\n    pass\n'spent'"
    children = "import os\nfor _ in range(3):\n    if os.fork() == 0:\n        while True:\n            pass\nimport time\ntime.sleep(30)"
    cells = run(
        given, "import time\ntime.sleep(4)\n'slept'", spend.format(1), spend.format(100), children, limits=limits
    ).cells
    assert [cell.failed for cell in cells] == [False, False, True, True]
    assert "ran longer than 2 s" in said(cells[2]) and "ran longer than 2 s" in said(cells[3])


def test_a_hundred_megabytes_of_output_are_cut_and_never_held(given):
    submission = run(
        given,
        "for _ in range(1000):\n    print('x' * 100_000)",
        "import os\nfor _ in range(1600):\n    os.write(1, b'y' * 65536)",
        "[print('z') for _ in range(300_000)]\nimport sys\nsys.stdout.write('z' * 10**8);",
        "'after'",
    )
    for cell, sign in zip(submission.cells[:3], "xyz", strict=True):
        assert sign in said(cell) and len(said(cell)) < 2 * QUICK.text_bytes
    assert "cut" in said(submission.cells[0])
    assert "after" in said(submission.cells[3])


# ---------------------------------------------------------------- what cannot be reached


def test_no_network_not_even_this_machine(given):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        reached = threading.Event()

        def accept():
            try:
                server.accept()
                reached.set()
            except OSError:
                pass

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        cells = run(given, f"import socket\nsocket.create_connection(('127.0.0.1', {port}), 5)").cells
        assert cells[0].failed and not reached.is_set()
        socket.create_connection(("127.0.0.1", port), 5).close()  # without the sandbox it works
        thread.join(5)
        assert reached.is_set()


def test_no_sight_of_gradebook_sources_other_submissions_and_the_environment(given, tmp_path, monkeypatch):
    monkeypatch.setenv("TEACHERS_SECRET", "4711")
    (tmp_path / "gradebook.db").write_text("marks")
    places = [
        tmp_path / "gradebook.db",
        ROOT / "README.md",
        ROOT / "coursework",
        ROOT / "_build",
        Path.home() / ".bashrc",
    ]
    code = (
        f"import os\nprint([one for one in {[str(one) for one in places]!r} if os.path.exists(one)])\nprint(os.environ)"
    )
    cells = run(
        given,
        code,
        f"open({str(tmp_path / 'gradebook.db')!r})",
        "import os\nprint([n for n in os.listdir('/proc') if n.isdigit()])",
        "import os\nprint(sorted(os.listdir('/home')), os.listdir('/given'), os.getuid())",
    ).cells
    assert said(cells[0]).startswith("[]\n") and "4711" not in said(cells[0])
    assert "No such file or directory" in said(cells[1])
    assert len(said(cells[2]).split(",")) <= 3  # bubblewrap's own and the worker
    assert "['student'] ['digits.txt'] 1000" in said(cells[3])


@pytest.mark.parametrize(
    "path", ["/given/digits.txt", "/usr/new", "/new", "/dev/new", "/etc/new", "/sandbox/inside.py"]
)
def test_nothing_can_be_written_outside_the_private_folder(given, path):
    cells = run(
        given, f"open({path!r}, 'w')", "open('digits.txt', 'w').write('changed')\nopen('digits.txt').read()"
    ).cells
    assert cells[0].failed and ("Read-only file system" in said(cells[0]) or "Permission denied" in said(cells[0]))
    assert "changed" in said(cells[1])
    assert (given / "digits.txt").read_text() == "3 1 4"


def test_privileges_are_gone(given):
    cells = run(
        given,
        "print([line for line in open('/proc/self/status') if line.startswith(('CapEff', 'NoNewPrivs'))])",
        "import resource\nresource.setrlimit(resource.RLIMIT_DATA, (resource.RLIM_INFINITY,) * 2)",
        "import ctypes\nprint(ctypes.CDLL(None).mount(b'none', b'/tmp', b'tmpfs', 0, None))",
    ).cells
    assert "CapEff:\\t0000000000000000" in said(cells[0]) and "NoNewPrivs:\\t1" in said(cells[0])
    assert cells[1].failed
    assert said(cells[2]).strip() == "-1"


def test_the_kernels_settings_cannot_be_written(given):
    code = """
import os
written = []
for folder, _, names in os.walk("/proc/sys"):
    for name in names:
        try:
            os.close(os.open(os.path.join(folder, name), os.O_WRONLY))
            written.append(name)
        except OSError:
            pass
print(written)
"""
    more = "open('/proc/sysrq-trigger', 'w')"
    cells = run(given, code, more).cells
    assert said(cells[0]).strip() == "[]"
    assert cells[1].failed


def test_no_namespaces_inside(given):
    cells = run(given, "import ctypes\nprint(ctypes.CDLL(None).unshare(0x10000000))").cells
    assert said(cells[0]).strip() == "-1" or not outside.can_disable_namespaces(outside.find_bwrap())


# ---------------------------------------------------------------- restarts


def test_after_a_kill_earlier_cells_run_again_without_the_one_to_blame(given):
    submission = run(
        given,
        Cell("import math\nstart = 1", "given", "given_setup"),
        Cell("def first():\n    return start", "student", "first"),
        Cell("assert first() == 1\nleft_over = 1", "test", "test_first"),
        Cell("while True:\n    pass", "student", "second"),
        Cell("second()", "test", "test_second"),
        Cell("def third():\n    return first() + math.floor(1.5)", "student", "third"),
        Cell("assert third() == 2", "test", "test_third"),
        limits=Limits(cell_seconds=3, memory_mb=400),
    )
    assert [cell.failed for cell in submission.cells] == [False, False, False, True, True, False, False]
    assert submission.restarts == 1
    assert submission.remarks == ["second: ran longer than 3 s"]


def test_restarts_and_time_have_an_end(given):
    endless = "import os\nos._exit(1)"
    submission = run(given, *[endless] * 5, "7", limits=Limits(restarts=2))
    assert submission.restarts == 3 and len(submission.cells) == 6
    assert "not run: earlier cells stopped the program 3 times" in said(submission.cells[5])
    submission = run(given, *["import time\ntime.sleep(3)"] * 4, limits=Limits(submission_seconds=2.5))
    assert "all cells together ran longer than 2.5 s" in said(submission.cells[-1])


# ---------------------------------------------------------------- code that is read, not run


def parsed_in_threads(parse):
    """Return what two threads that parse at once raise, with pauses planted where Python may change threads."""
    source, raised = "def f(a):\n    return [b for b in a if b]\n" * 60, []

    def work():
        for _ in range(200):
            try:
                parse(source)
            except SystemError as error:
                raised.append(error)

    before, interval = gc.get_threshold(), sys.getswitchinterval()
    pause = lambda phase, info: sum(range(20))  # noqa: E731
    gc.callbacks.append(pause)
    gc.set_threshold(5)
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=work) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        gc.callbacks.remove(pause)
        gc.set_threshold(*before)
        sys.setswitchinterval(interval)
    return raised


@pytest.mark.parametrize("parse", [bound_names, outside.ends_in_expression], ids=lambda one: one.__name__)
def test_submissions_that_are_read_at_the_same_time_do_not_disturb_each_other(parse):
    assert parsed_in_threads(parse) == []


@pytest.mark.parametrize(
    "source",
    ["1 +", "x = '\0'", "(" * 5000 + ")" * 5000, "-" * 200_000 + "1"],
    ids=["cut", "null", "brackets", "signs"],
)
def test_code_that_cannot_be_read_stops_no_grading(source, given):
    assert bound_names(source) == set() and outside.ends_in_expression(source)
    cells = run(given, source, "2 + 2").cells
    assert cells[0].failed and not cells[1].failed and "4" in said(cells[1])


def test_the_grading_program_parses_in_one_place():
    for folder in ("grade", "sandbox"):
        for path in (ROOT / "coursework" / folder).glob("*.py"):
            calls = path.read_text(encoding="utf-8").count("ast.parse")
            assert calls == {"outside.py": 1, "inside.py": 1}.get(path.name, 0), path


# ---------------------------------------------------------------- verdicts

TEST = """assert answer() == 1, "a visible test"
### BEGIN HIDDEN TESTS
hidden_value = 41 + 1
assert answer() == hidden_value, "a hidden one"
### END HIDDEN TESTS"""


def a_test():
    return Cell(TEST, "test", "test_answer", hidden_lines(TEST), tuple(bound_names(TEST)))


def test_a_failed_test_tells_its_message_but_no_hidden_line(given):
    cells = run(given, "def answer():\n    return 1", a_test()).cells
    assert cells[1].failed
    assert "a hidden one" in said(cells[1]) and "hidden_value" not in said(cells[1])
    assert "in a hidden test" in said(cells[1])
    cells = run(given, "def answer():\n    return [][0]", a_test()).cells
    assert "line 1: assert answer() == 1" in said(cells[1]) and "return [][0]" in said(cells[1])


def test_later_cells_find_no_hidden_test(given):
    cells = run(
        given,
        "def answer():\n    return 1",
        a_test(),
        "import linecache\nfound = [str(In), str(Out), str(linecache.cache), str(sorted(globals()))]\n'_'.join(['hidden', 'value']) in str(found)",
    ).cells
    assert said(cells[2]).strip() == "False"


@pytest.mark.parametrize(
    "trick",
    [
        "import numpy\nnumpy.allclose = lambda *a, **k: True",
        "import builtins\nbuiltins.abs = lambda x: 0\nbuiltins.AssertionError = KeyError\nbuiltins.all = lambda x: True",
        "get_ipython().set_custom_exc((BaseException,), lambda *a, **k: None)\nget_ipython().showtraceback = lambda *a, **k: None",
        "import sys\nsys.excepthook = lambda *a: None\n__builtins__ = {'AssertionError': type('Quiet', (Exception,), {})}",
        "get_ipython().run_cell = lambda *a, **k: None\nget_ipython().events.register('pre_run_cell', lambda *a: 1 / 0)",
    ],
)
def test_cheap_tricks_do_not_pass_a_test(given, trick):
    check = Cell(
        "import numpy\nassert numpy.allclose([1], [2])\nassert abs(-2) == 2 and all([0])", "test", "test_trick"
    )
    cells = run(given, Cell("import numpy", "given"), trick, check).cells
    assert cells[2].failed


def test_replaced_functions_are_put_back_and_told(given):
    submission = run(
        given, Cell("import numpy", "given"), "numpy.sum = 3", Cell("assert numpy.sum([1]) == 1", "test", "test_sum")
    )
    assert not submission.cells[2].failed
    assert "numpy.sum" in submission.remarks[0]


def test_forged_results_end_the_worker(given):
    forged = """
import json, os, struct
data = json.dumps({"kind": "done", "token": "0" * 32, "failed": False, "error": None, "outputs": [], "changed": []}).encode()
for number in range(3, 500):
    try:
        os.write(number, struct.pack(">I", len(data)) + data)
    except OSError:
        pass
"""
    cells = run(given, forged, "'after'").cells
    assert cells[0].failed and "wrote to the channel that carries the results" in said(cells[0])
    assert "after" in said(cells[1])


@pytest.mark.parametrize(
    "outputs",
    [
        None,
        "text",
        [1, None, {"output_type": 5}],
        [{"output_type": "stream", "name": ["x"], "text": {"a": 1}}],
        [
            {
                "output_type": "display_data",
                "data": {"image/png": "<script>", "text/javascript": "alert(1)", "image/svg+xml": "<svg/>"},
            }
        ],
        [{"output_type": "error", "ename": 3, "evalue": None, "traceback": "no list"}],
        [{"output_type": "stream", "name": "stdout", "text": "y" * 10**7}],
    ],
)
def test_what_the_worker_says_is_checked(outputs):
    ran = outside.understood({"outputs": outputs, "failed": False, "changed": 7}, Cell("1"), QUICK)
    assert not any(
        mime in one.get("data", {}) for one in ran.outputs for mime in ("text/javascript", "image/png", "image/svg+xml")
    )
    assert len(said(ran)) <= QUICK.text_bytes + 1000


def test_partial_credit_comes_from_the_test_alone(given):
    forger = "def answer():\n    get_ipython().displayhook(20)\n    return 1"
    cells = run(given, forger, Cell("assert answer() == 1", "test"), Cell("answer()\n0.5", "test")).cells
    assert [one.output_type for one in cells[1].outputs] == ["display_data"]
    assert [one.data["text/plain"] for one in cells[2].outputs if one.output_type == "execute_result"] == ["0.5"]


def test_no_folder_of_this_machine_in_a_traceback(given):
    cells = run(given, "import json\njson.loads('{')", "import numpy as np\nnp.linalg.inv([1])").cells
    assert sys.prefix not in said(cells[0]) + said(cells[1]) and sys.base_prefix not in said(cells[0]) + said(cells[1])
    assert "json/decoder.py" in said(cells[0])


def test_a_stop_ends_the_sandbox_at_once(given):
    stop = threading.Event()
    threading.Timer(2, stop.set).start()
    start = time.monotonic()
    with pytest.raises(outside.Interrupted):
        run_cells([Cell("import time\ntime.sleep(100)")], given, QUICK, stop)
    assert time.monotonic() - start < 15
    assert not [one for one in psutil.Process().children(recursive=True) if "bwrap" in one.name()]


# ---------------------------------------------------------------- refusals


def test_without_bubblewrap_nothing_runs_and_the_cure_is_named(given, monkeypatch):
    monkeypatch.setenv("BWRAP", "/nowhere/bwrap")
    with pytest.raises(IsolationError, match="sudo apt install bubblewrap"):
        outside.check_isolation()
    with pytest.raises(IsolationError):
        run(given, "1")


def test_refused_namespaces_are_a_refusal(given, tmp_path, monkeypatch):
    fake = tmp_path / "bwrap"
    fake.write_text("#!/bin/sh\necho 'bwrap: No permissions to create a new namespace' >&2\nexit 1\n")
    fake.chmod(fake.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("BWRAP", str(fake))
    with pytest.raises(IsolationError, match=r"No permissions to create a new namespace.*coursework/Containerfile"):
        outside.check_isolation()
    with pytest.raises(IsolationError, match="No permissions"):
        run(given, "1")


def test_descriptors_are_closed(given):
    before = set(os.listdir("/proc/self/fd"))
    run(given, "1", "import os\nos._exit(2)", "2")
    assert len(set(os.listdir("/proc/self/fd"))) <= len(before)


def test_an_environment_below_a_private_folder_is_seen(given, monkeypatch):
    # a book that was cloned into /tmp, which the sandbox has of its own
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        Path(folder, "here").write_text("")
        monkeypatch.setattr(sys, "prefix", folder)
        start = outside.command(given, QUICK)
        assert subprocess.run([*start, "test", "-e", f"{folder}/here"]).returncode == 0

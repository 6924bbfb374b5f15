"""Recording on Dask: a real scheduler, workers in processes of their own, some of which are killed in the middle.

All on this machine's loopback. Nothing is timed: each test waits for what must happen, so a busy machine makes it slower and
not wrong. What a test starts, it ends.
"""

import json
import os
import platform
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from helpers.measurements import digest
from notebook_rules import ROOT

pytestmark = [pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals"), pytest.mark.timeout(900)]
PATIENCE = 300  # seconds until something has gone wrong, and not slowly
TOY = '''
"""Experiments that note when they begin and end, and wait where a test wants them to."""

import os
import signal
import time
from pathlib import Path

from experiments.bench.declare import experiment

FACTOR = 10


def note(word, name, seed):
    """Write a line to the log."""
    line = " ".join([word, name, str(seed), str(os.getpid()), os.environ.get("TOY_HOST", "-")])
    with open(os.environ["TOY_LOG"], "a") as file:
        file.write(line + "\\n")


def one_run(name, seed):
    """Begin, wait as long as the test lets only smaller seeds pass, perhaps end the process, end."""
    note("begin", name, seed)
    gate = Path(os.environ["TOY_LOG"] + ".gate")
    if gate.exists() and seed >= int(gate.read_text()):
        note("wait", name, seed)
        while gate.exists():
            time.sleep(0.05)
    if os.environ.get("TOY_KILLS") == f"{name} {seed}":
        os.kill(os.getpid(), signal.SIGKILL)
    if os.environ.get("TOY_FAILS") == f"{name} {seed}":
        raise ValueError("a fault in the run")
    time.sleep(0.2)
    note("end", name, seed)
    return {"total": FACTOR * seed, "threads": os.environ.get("OMP_NUM_THREADS"), "tf": os.environ.get("TF_NUM_INTRAOP_THREADS")}


@experiment(seeds=8)
def toy(digits, seed):
    """Shares its machine."""
    return one_run("toy", seed)
'''
CLOCK = '''

@experiment(seeds=4, timed=True)
def clock(digits, seed):
    """Is alone on its machine."""
    return one_run("clock", seed)


@experiment(seeds=2, timed=True, needs=("toy",))
def late(digits, seed):
    """Comes when toy is recorded."""
    from helpers.measurements import measurement

    return one_run("late", seed) | {"sum": float(measurement("toy").values("total").sum())}
'''


class Project:
    """A checkout with toys for experiments, and the programs that are started from it."""

    def __init__(self, folder, toy=TOY):
        self.folder, self.log, self.processes = folder, folder.parent / "log", []
        for name in ("helpers", "experiments/bench"):
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "experiments" / "__init__.py", folder / "experiments")
        (folder / "experiments" / "toys.py").write_text(toy)

    def start(self, *command, **environment):
        """Start a program from the checkout, in a group of processes of its own."""
        environment = os.environ | {
            "PYTHONPATH": str(self.folder),
            "PYTHONDONTWRITEBYTECODE": "1",
            "DIGITS_EDITION": "sample",
            "TOY_LOG": str(self.log),
            **environment,
        }
        environment.pop("DIGITS_MEASUREMENTS", None)
        process = subprocess.Popen(
            [str(part) for part in command],
            cwd=self.folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            # A shell in the background ignores Ctrl-C for all that it starts, which is no matter of this test's.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        self.processes.append(process)
        return process

    def record(self, *options, **environment):
        """Start recording the sample edition, on two workers here or on the cluster that the environment names."""
        command = [sys.executable, "-m", "experiments.bench", "--edition", "sample", "--workers", "2", *options]
        return self.start(*command, **environment)

    def end(self):
        """End whatever this test has started and is still there."""
        for process in self.processes:
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
            process.communicate(timeout=60)

    def noted(self, word, name=""):
        """The lines of the log that begin so, each as a list of words: word, name, seed, process, host."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return [line.split() for line in lines if line.startswith(f"{word} {name}")]

    def only_below(self, seed):
        """Let runs of this seed or a larger one wait in their middle."""
        half = Path(f"{self.log}.half")
        half.write_text(str(seed))
        half.replace(f"{self.log}.gate")

    def let_go(self):
        """Let all runs go on."""
        Path(f"{self.log}.gate").unlink()

    def kept(self, name="toy"):
        """The finished runs that are kept so far."""
        path = self.folder / "data" / "measurements" / f"{name}.sample.partial"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def recording(self, name="toy"):
        """The sample edition of a recording."""
        path = self.folder / "data" / "measurements" / f"{name}.json"
        return json.loads(path.read_text())["editions"]["sample"]

    def left_over(self):
        """The files beside the recordings."""
        return sorted(path.name for path in (self.folder / "data" / "measurements").glob("*") if path.suffix != ".json")


@pytest.fixture
def projects(tmp_path):
    """A function that makes checkouts; what was started from them is ended."""
    made = []

    def make(name="checkout", toy=TOY):
        (tmp_path / name).mkdir()
        made.append(Project(tmp_path / name / "book", toy))
        made[-1].log = tmp_path / "log"
        return made[-1]

    yield make
    for project in made:
        project.end()


@pytest.fixture
def project(projects):
    return projects()


def wait_for(condition, process=None):
    """Wait until something has happened, while the process lives."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert process is None or process.poll() is None, process.communicate()[0]
        assert time.monotonic() < end
        time.sleep(0.05)


def finished(process, status=0):
    """Wait for a program's end; return what it said."""
    said, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == status, said
    return said


def is_there(process):
    """Does a process with this number run?"""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{process}/status").read_text()
    except OSError:
        return False


def all_there(project):
    """The recording is complete, in order, and nothing is left beside it."""
    runs = project.recording()["runs"]
    assert [run["settings"]["seed"] for run in runs] == list(range(8))
    assert [run["result"]["total"] for run in runs] == [10 * seed for seed in range(8)]
    return project.left_over() == []


def begun(project, name="toy"):
    """How often each seed was begun."""
    return Counter(int(line[2]) for line in project.noted("begin", name))


def test_a_worker_that_is_killed_costs_the_run_under_way_and_no_other(project):
    project.only_below(0)
    process = project.record()
    wait_for(lambda: len(project.noted("begin")) == 2, process)
    (_, _, seed, victim, _), (_, _, _, other, _) = project.noted("begin")
    assert victim != other  # two workers in processes of their own
    os.kill(int(victim), signal.SIGKILL)
    wait_for(lambda: not is_there(victim), process)
    project.let_go()
    finished(process)
    assert all_there(project)
    assert begun(project) == Counter(range(8)) + Counter([int(seed)])
    assert Counter(line[2] for line in project.noted("end")) == Counter(map(str, range(8)))
    assert {run["result"]["threads"] for run in project.recording()["runs"]} == {"1"}
    assert {run["result"]["tf"] for run in project.recording()["runs"]} == {"1"}
    assert {machine["threads"] for machine in project.recording()["machines"]} == {1}


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT], ids=["killed", "interrupted"])
def test_a_program_that_is_stopped_goes_on_where_it_stopped(project, how):
    project.only_below(3)
    process = project.record()
    wait_for(lambda: len(project.noted("wait")) == 2 and len(project.kept()) == 3, process)
    kept = project.kept()
    process.send_signal(how)
    process.communicate(timeout=PATIENCE)
    workers = {line[3] for line in project.noted("begin")}
    wait_for(lambda: not any(map(is_there, workers)))  # they end with the program
    project.let_go()
    finished(project.record())
    assert all_there(project)
    assert begun(project) == Counter(range(8)) + Counter([3, 4])  # those two were under way
    seconds = {run["settings"]["seed"]: run["seconds"] for run in project.recording()["runs"]}
    assert [seconds[run["settings"]["seed"]] for run in kept] == [run["seconds"] for run in kept]


def test_a_run_that_always_ends_its_worker_is_named_with_the_cure(project):
    said = finished(project.record(TOY_KILLS="toy 1"), status=1)
    assert "toy (sample edition, seed 1) ended 4 processes that began it" in said
    assert "python -m experiments.bench toy --edition sample --seeds 1 --serial" in said and "Traceback" not in said
    first = begun(project)
    assert first[1] == 4 and all(count == 1 for seed, count in first.items() if seed != 1)
    finished(project.record())
    assert all_there(project) and begun(project) == Counter(range(8)) + Counter([1] * 4)


def test_an_error_in_a_run_is_shown_and_costs_no_other(project):
    said = finished(project.record(TOY_FAILS="toy 2"), status=1)
    assert "ValueError: a fault in the run" in said
    assert re.search(r"in the run toy \(sample edition, seed 2\), on 127\.0\.0\.1", said)
    ended = {int(line[2]) for line in project.noted("end")}
    assert {0, 1} <= ended  # begun before, so kept
    finished(project.record())
    assert all_there(project) and begun(project) == Counter(range(8)) + Counter([2])


def overlapping(project, killed=()):
    """Pairs of runs, one of them timed, that were under way at the same time on the same host; ``killed``: processes."""
    found, now = [], {}
    for word, name, _, process, host in (line.split() for line in project.log.read_text().splitlines()):
        if word == "end":
            del now[process, host]
        elif word == "begin" and process not in killed:
            others = [other for (_, place), other in now.items() if place == host]
            found += [(name, other) for other in others if {name, other} != {"toy"}]
            now[process, host] = name
    assert not now
    return found


def test_runs_whose_time_is_a_result_are_alone_and_have_all_threads(projects):
    project = projects(toy=TOY + CLOCK)
    # "late" reads what toy's full edition says: any recording will do for that.
    finished(project.record("toy", "clock"))
    path = project.folder / "data/measurements/toy.json"
    content = json.loads(path.read_text())
    content["editions"]["full"] = dict(content["editions"]["sample"])
    content["editions"]["full"]["digest"] = digest(content, "full")
    path.write_text(json.dumps(content))
    finished(project.record("late"))
    assert all_there(project)
    assert overlapping(project) == []
    assert len(project.noted("end", "clock")) == 4 and len(project.noted("end", "late")) == 2
    clocks = project.recording("clock")
    assert {run["result"]["threads"] for run in clocks["runs"]} == {None}
    (machine,) = clocks["machines"]
    assert machine["threads"] == machine["cores"] == os.cpu_count()
    # One process makes them all, so that what TensorFlow does once is not in each; and it is no worker's.
    assert len({line[3] for line in project.noted("begin", "clock")}) == 1
    assert not {line[3] for line in project.noted("begin", "clock")} & {
        line[3] for line in project.noted("begin", "toy")
    }
    assert project.recording("late")["runs"][1]["result"]["sum"] == 280


def test_a_timed_run_whose_process_is_killed_is_made_again(projects):
    project = projects(toy=TOY + CLOCK)
    project.only_below(0)
    process = project.record("clock")
    wait_for(lambda: project.noted("begin", "clock"), process)
    os.kill(int(project.noted("begin")[0][3]), signal.SIGKILL)
    wait_for(lambda: len(project.noted("begin", "clock")) == 2, process)
    project.let_go()
    finished(process)
    assert begun(project, "clock") == Counter([0, 0, 1, 2, 3])
    said = finished(project.record("clock", "--again", TOY_KILLS="clock 2"), status=1)
    assert "clock (sample edition, seed 2) ended 4 processes that began it" in said


# ---------------------------------------------------------------- a scheduler and workers started by hand


def free_port():
    """A port of this machine that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def documented(which):
    """The command in CONTRIBUTING.md that starts a scheduler, or a worker, as a list."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    (command,) = re.findall(rf"^\.venv/bin/dask {which} .*$", text, re.M)
    return shlex.split(command)


class Cluster:
    """A scheduler, and workers that come when they are called."""

    def __init__(self, project):
        command = documented("scheduler")
        given = f"{command[command.index('--host') + 1]}:{command[command.index('--port') + 1]}"
        self.address = f"127.0.0.1:{free_port()}"
        self.there = {"given": given, "address": self.address}
        host, port = self.address.split(":")
        command[command.index("--host") + 1], command[command.index("--port") + 1] = host, port
        self.scheduler = project.start(Path(sys.executable).with_name("dask"), *command[1:])
        self.environment = {"DIGITS_SCHEDULER": f"tcp://{self.address}"}

    def worker(self, project, host="127.0.0.1", count="1"):
        """Start a worker from a checkout, by the documented command."""
        command = documented("worker")
        assert command[2] == f"tcp://{self.there['given']}"
        command[2] = f"tcp://{self.address}"
        command[command.index("--nworkers") + 1] = count
        program = Path(sys.executable).with_name("dask")
        return project.start(
            program, *command[1:], "--host", host, "--local-directory", project.folder.parent, TOY_HOST=host
        )


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux answers on all of 127.0.0.0/8")
def test_a_cluster_of_two_hosts_and_a_worker_killed_in_it(projects):
    project = projects(toy=TOY + CLOCK)
    cluster = Cluster(project)
    for host in ("127.0.0.1", "127.0.0.2"):
        cluster.worker(project, host=host, count="2")
    project.only_below(0)
    process = project.record("toy", "clock", **cluster.environment)
    wait_for(lambda: len(project.noted("begin")) == 4, process)  # workers that come later are used as well
    _, _, seed, victim, _ = project.noted("begin")[0]
    os.kill(int(victim), signal.SIGKILL)
    project.let_go()
    finished(process)
    assert all_there(project)
    assert begun(project) == Counter(range(8)) + Counter([int(seed)])
    assert begun(project, "clock") == Counter(range(4)) and overlapping(project, [victim]) == []
    assert {line[4] for line in project.noted("begin")} == {"127.0.0.1", "127.0.0.2"}
    assert {run["result"]["threads"] for run in project.recording()["runs"]} == {"1"}
    assert {run["result"]["threads"] for run in project.recording("clock")["runs"]} == {None}
    assert cluster.scheduler.poll() is None  # it serves the next program


def test_a_worker_with_other_code_is_refused(projects):
    project, other = projects(), projects("other", toy=TOY.replace("FACTOR = 10", "FACTOR = 11"))
    cluster = Cluster(project)
    cluster.worker(other)
    said = finished(project.record(**cluster.environment), status=1)
    assert f"the machine {platform.node()} has other code for toy than the program that records" in said
    assert "bring its checkout to the same commit, and start its workers again" in said and "Traceback" not in said
    assert project.noted("begin") == [] and not (project.folder / "data/measurements/toy.json").exists()


def test_a_worker_with_another_recording_that_is_needed_is_refused(projects):
    project, other = projects(toy=TOY + CLOCK), projects("other", toy=TOY + CLOCK)
    finished(project.record("toy"))
    for one, first in ((project, 0), (other, 1)):
        content = json.loads((project.folder / "data/measurements/toy.json").read_text())
        runs = content["editions"]["sample"]["runs"][first:]
        content["editions"]["full"] = content["editions"]["sample"] | {"runs": runs}
        content["editions"]["full"]["digest"] = digest(content, "full")
        (one.folder / "data/measurements").mkdir(parents=True, exist_ok=True)
        (one.folder / "data/measurements/toy.json").write_text(json.dumps(content))
    cluster = Cluster(project)
    cluster.worker(other)
    said = finished(project.record("late", **cluster.environment), status=1)
    assert f"the machine {platform.node()} has another toy than the program that records, and late needs it" in said
    assert project.noted("begin", "late") == []


def test_a_scheduler_that_goes_away_costs_no_finished_run(project):
    cluster = Cluster(project)
    cluster.worker(project)
    project.only_below(2)
    patience = {"DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "3s"}
    process = project.record(**cluster.environment, **patience)
    wait_for(lambda: len(project.kept()) == 2 and project.noted("wait"), process)
    os.killpg(cluster.scheduler.pid, signal.SIGKILL)
    said = finished(process, status=1)
    assert "is gone: what is finished is kept" in said, said
    assert "Traceback" not in said, said
    assert len(project.kept()) == 2
    project.let_go()
    finished(project.record())
    assert all_there(project) and set(begun(project)[seed] for seed in (0, 1)) == {1}


def test_a_cluster_that_is_not_there_is_named(project):
    address = f"tcp://127.0.0.1:{free_port()}"
    said = finished(project.record(DIGITS_SCHEDULER=address, DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT="2s"), status=1)
    assert f"no worker can be had from {address}" in said and "Traceback" not in said


def test_without_dask_a_loop_does_the_same(project):
    code = (
        "import sys, importlib.util as u; find = u.find_spec; "
        "u.find_spec = lambda name, *more: None if name == 'distributed' else find(name, *more); "
        "from experiments.bench.__main__ import main; sys.exit(main(['--edition', 'sample']))"
    )
    said = finished(project.start(sys.executable, "-c", code))
    assert "Dask is not installed: one run after the other" in said
    assert all_there(project) and begun(project) == Counter(range(8))
    assert [machine["threads"] for machine in project.recording()["machines"]] == [os.cpu_count()]

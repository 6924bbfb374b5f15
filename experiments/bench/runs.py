"""Making runs: an order says which, and whoever carries it out gives back the run as it is kept.

An order is a dict that JSON can hold: ``module`` and ``name`` of the experiment, ``edition`` (None for a stand-in that needs no
data), ``settings`` (seed included), ``timed``, and ``stamp``, what the run must rest on. A run is a dict with settings, result, seconds, and the machine in full.
"""

import atexit
import datetime
import json
import os
import platform
import queue
import subprocess
import sys
import threading
import time
import traceback

from experiments.bench import declare
from experiments.bench.code import results_code
from experiments.bench.machine import ONE_THREAD, here
from experiments.bench.store import RecordingError, jsonable
from helpers import data
from helpers.measurements import MeasurementError

ATTEMPTS = 4  # a run is begun so often before it is held to end every process that makes it
_BUSY = threading.Lock()  # seeds belong to the whole process, so it makes one run at a time
_READ = results_code()  # the code as this process has loaded it: read before it was imported, and never again
_ROOMS = []


def order_for(recording, settings):
    """Return the order for one run of a ``store.Recording``."""
    one = recording.one
    order = {"module": one.__module__, "name": one.name, "edition": recording.edition, "settings": settings}
    return json.loads(json.dumps({**order, "timed": one.timed, "stamp": recording.stamp}, default=jsonable))


def described(order):
    """Return a short text that says which run an order means."""
    settings = ", ".join(f"{name} {value}" for name, value in order["settings"].items())
    return f"{order['name']} ({order['edition']} edition, {settings})"


def make_run(order):
    """Make a run in this process, with the code that it has loaded.

    Returns
    -------
    dict
        settings, result, seconds (float, of the experiment's function alone), machine (``machine.here`` and the date).

    Raises
    ------
    Exception
        Whatever the experiment raises; TypeError if its result is nothing that JSON can hold.
    """
    if order["name"] not in declare.EXPERIMENTS:
        declare.load(order["module"])
    one = declare.EXPERIMENTS[order["name"]]
    digits = None
    if order["edition"]:
        os.environ["DIGITS_EDITION"] = order["edition"]
        digits = data.load_mnist(quiet=True)
    start = time.perf_counter()
    result = one.function(digits, **order["settings"])
    seconds = round(time.perf_counter() - start, 3)
    machine = {**here(), "date": datetime.date.today().isoformat()}
    run = {"settings": order["settings"], "result": result, "seconds": seconds, "machine": machine}
    return json.loads(json.dumps(run, default=jsonable))


def make_run_elsewhere(order):
    """Make a run in a process that may belong to another checkout, if its code is what the order says.

    Raises
    ------
    RecordingError
        If this process has other code, or other recordings that the run needs; the message names the machine.
    """
    with _BUSY:
        refuse_other_code(order)
        if not order["timed"]:
            return make_run(order)
        if not _ROOMS:
            _ROOMS.append(Room())
        return _ROOMS[0].make(order)


def is_busy():
    """Say whether this process is making a run."""
    return _BUSY.locked()


def refuse_other_code(order):
    """Compare the stamp of an order with what this process would make the run with; raises RecordingError."""
    machine, name = platform.node(), order["name"]
    try:
        code = _READ.digest(f"{order['module']}:{name}")
    except (KeyError, AttributeError):
        code = None
    if code != order["stamp"]["code"]:
        raise RecordingError(
            f"the machine {machine} has other code for {name} than the program that records: bring its checkout to the same "
            "commit, and start its workers again"
        )
    for need, digest in order["stamp"]["needs"].items():
        try:
            same = declare.digest_of_need(need) == digest
        except (MeasurementError, OSError):
            same = False
        if not same:
            raise RecordingError(
                f"the machine {machine} has another {need} than the program that records, and {name} needs it: "
                "copy it there (data/measurements), or bring its checkout to the same commit"
            )


def too_often(order):
    """Return the error for a run that ended every process that began it."""
    return RecordingError(
        f"{described(order)} ended {ATTEMPTS} processes that began it, perhaps because memory ran out; try it by itself: "
        f"python -m experiments.bench {order['name']} --edition {order['edition']} --seeds {order['settings']['seed']} --serial"
    )


# ---------------------------------------------------------------- one process, no Dask


class Serial:
    """Makes all runs in this process, one after the other, with all its threads."""

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass

    def machine(self):
        """Return the machine that makes runs whose time is a result."""
        return here()

    def make(self, orders, timed):
        """Yield (order, run) for each order."""
        for order in orders:
            yield order, make_run(order)


# ---------------------------------------------------------------- a process with all threads, beside a worker that has one


class Room:
    """A process of its own for runs whose time is a result: it has all threads, whatever this process has.

    It makes one run after the other, so that what TensorFlow does once in a process is not counted in each, and it ends
    with the process that started it.
    """

    def __init__(self):
        self.process = None
        atexit.register(self.close)

    def make(self, order):
        """Make a run there. Raises as the run does, or RecordingError if the process ended again and again."""
        for _ in range(ATTEMPTS):
            answer = self.ask(order)
            if answer:
                break
            self.close()
        else:
            raise too_often(order)
        if "error" in answer:
            raise RecordingError(f"{described(order)} failed on {platform.node()}: {answer['error']}")
        return answer["run"]

    def ask(self, order):
        """Send an order; return the answer, or None if the process ended over it."""
        if self.process is None:
            environment = {name: value for name, value in os.environ.items() if name not in ONE_THREAD}
            command = [sys.executable, "-m", "experiments.bench.runs"]
            pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "encoding": "utf-8"}
            self.process = subprocess.Popen(command, env=environment, **pipes)
        try:
            self.process.stdin.write(json.dumps(order) + "\n")
            self.process.stdin.flush()
            return json.loads(self.process.stdout.readline() or "null")
        except (OSError, ValueError):
            return None

    def close(self):
        """End the process."""
        if self.process is not None:
            self.process.kill()
            self.process.communicate()
            self.process = None


def inside_a_room():
    """What a room's process does: read orders, a line each, and answer each with a line; end when the other side ends."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever a run prints goes to the log, not among the answers
    orders = queue.SimpleQueue()

    def read():
        for line in sys.stdin:
            orders.put(json.loads(line))
        os._exit(0)  # in the middle of a run too: nobody waits for it any more

    threading.Thread(target=read, daemon=True).start()
    while True:
        order = orders.get()
        try:
            refuse_other_code(order)
            answer = {"run": make_run(order)}
        except Exception as error:
            traceback.print_exc()
            answer = {"error": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    inside_a_room()

"""What processes hold: how the ways of counting differ, and what the watch sees. The sandbox's own: test_sandbox.py."""

import subprocess
import sys
import time

import psutil
import pytest

from coursework import MB
from coursework.sandbox.memory import Watch, held, resident, shared_out

# Holds 60 MB, and has a child that shares them; then waits for the end of its input.
FORKED = """
import os, sys
hoard = bytearray(60 * 10**6)
hoard[::4096] = b"x" * len(hoard[::4096])
if os.fork():
    print("ready", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def forked():
    """A process that holds 60 MB with a child that shares them all; a psutil.Process."""
    with subprocess.Popen(
        [sys.executable, "-S", "-c", FORKED], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "ready\n"
        yield psutil.Process(process.pid)
        process.stdin.close()


def test_pages_of_a_fork_count_once_for_each_or_once_in_all(forked):
    assert len(forked.children()) == 1
    assert held(forked, resident) > 120 * MB
    assert 60 * MB < held(forked, shared_out) < 110 * MB


def until(true, process):
    """Wait until ``true()``; fails if the process ends before, or after a minute."""
    end = time.monotonic() + 60
    while not true():
        assert process.poll() is None and time.monotonic() < end
        time.sleep(0.01)


def test_the_watch_remembers_what_was_held_at_most():
    code = "hoard = bytearray(80 * 10**6)\nhoard[::4096] = b'x' * len(hoard[::4096])\ninput()\ndel hoard\ninput()"
    with subprocess.Popen([sys.executable, "-S", "-c", code], stdin=subprocess.PIPE, text=True) as process:
        alive = psutil.Process(process.pid)
        with Watch(alive, resident, every=0.01) as watch:
            until(lambda: watch.largest > 80 * MB, process)
            process.stdin.write("\n")
            process.stdin.flush()
            until(lambda: held(alive, resident) < 60 * MB, process)
        assert 80 * MB < watch.largest < 160 * MB
        process.communicate("\n")
        assert held(alive, resident) == held(alive, shared_out) == 0

"""What a tree of processes holds: one watcher for the sandbox, for the measurements of grading and for those of the hub.

Memory is added up over a process and all that came of it. What counts of pages that several of them hold together differs:

- `resident`: each page once for each process that has it in memory; what two have loaded counts twice,
- `shared_out`: each page once in all (PSS); the system walks through all pages for it,
- `usage`, for the limits of a sandbox: a process's own pages, and those that it still shares with the process that forked it, once
  for each of both; libraries do not count, nor do files in memory, whose folders have a limit of their own.
"""

from __future__ import annotations

import contextlib
import os
import threading
from dataclasses import dataclass

import psutil


def resident(process):
    """Return the bytes of a process that are resident (RSS)."""
    return process.memory_info().rss


def shared_out(process):
    """Return the bytes of a process with each shared page divided among those who hold it (PSS).

    Resident memory where the system does not tell (not Linux, or a process of somebody else's).
    """
    with contextlib.suppress(psutil.AccessDenied, AttributeError):
        return process.memory_full_info().pss
    return resident(process)


def tree(process):
    """Return a psutil.Process and all processes below it, a list; empty if it has ended."""
    try:
        return [process, *process.children(recursive=True)]
    except psutil.Error:
        return []


def held(process, count):
    """Return the bytes that a process and all below it hold together, each counted by ``count``; 0 if it has ended."""
    total = 0
    for one in tree(process):
        with contextlib.suppress(psutil.Error):  # it has ended since
            total += count(one)
    return total


class Watch:
    """Looks at a process and all below it every so often, in a thread; ``largest`` is what it saw at most, in bytes.

    A context manager. ``count`` as in `held`; ``every`` are the seconds between two looks.
    """

    def __init__(self, process, count, every):
        self.process, self.count, self.every, self.largest = process, count, every, 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def _look(self):
        while not self._over.is_set():
            self.largest = max(self.largest, held(self.process, self.count))
            self._over.wait(self.every)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()


@dataclass
class Usage:
    """What a sandbox uses now: bytes, resident less shared; processes, threads; and processor seconds since it began."""

    memory: int = 0
    processes: int = 0
    threads: int = 0
    seconds: float = 0.0


def usage(child):
    """Return the :class:`Usage` of a sandbox, read from its own /proc; zeros when it has ended.

    ``child`` is the number, outside, of its first process. Not by psutil, which would look through all processes of the
    machine for the children of one: 7 ms among 400 and 28 ms among 1,600, where this takes 0.1 ms, and a sandbox is looked at every
    50 ms. Nor could a tree of children be complete while a fork bomb goes off; the sandbox's own list always is.
    """
    found, base = Usage(), f"/proc/{child}/root/proc"
    try:
        numbers = [name for name in os.listdir(base) if name.isdigit()]
    except OSError:
        return found
    for number in numbers:
        try:
            with open(f"{base}/{number}/statm") as file:
                _, resident_pages, shared_pages, *_ = map(int, file.read().split())
            with open(f"{base}/{number}/stat") as file:
                fields = file.read().rpartition(")")[2].split()
            # of itself, and of its children that have ended: user, system, user, system
            ticks, threads = sum(int(one) for one in fields[11:15]), int(fields[17])
        except (OSError, ValueError, IndexError):
            continue
        found.memory += (resident_pages - shared_pages) * os.sysconf("SC_PAGE_SIZE")
        found.processes += 1
        found.threads += threads
        found.seconds += ticks / os.sysconf("SC_CLK_TCK")
    return found

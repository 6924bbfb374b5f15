"""How much memory a person on the hub needs: measured in a real single-user server, kept in measured.json.

    python -m coursework.hub measure            # everything, some minutes
    python -m coursework.hub measure evaluation # one chapter or assignment once more; the largest of its runs counts

Each chapter and assignment is run, cell by cell, in a kernel of a single-user server that a real JupyterHub started; the
memory of the server and of the kernel is read all the while, and the largest value kept. Resident memory (RSS) counts a
library that both have loaded twice, and is therefore a little too much rather than too little.
"""

import json
import os
import platform
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import nbformat
import psutil

from coursework import MB, ROOT, SEED, SOURCES
from coursework.hub import RECORD
from coursework.hub.local_hub import HubError, LocalHub
from coursework.make.making import render
from coursework.make.notebooks import NAMES
from coursework.sandbox.memory import Watch, held, resident

EVERY = 0.05  # seconds between two looks
PROBES = {
    "bare": "pass",
    "numpy": "import numpy, matplotlib.pyplot, sklearn.neighbors",
    "tensorflow": "import os; os.environ['TF_CPP_MIN_LOG_LEVEL'] = '3'; import keras; keras.ops.ones(3)",
}


def peak(process, besides):
    """Return the peak of resident memory that the system noted for the processes below ``process`` but ``besides``, in bytes.

    Exact where looks in between may miss it; only Linux notes it, elsewhere 0. psutil does not read this number.
    """
    total = 0
    for one in process.children(recursive=True):
        try:
            status = Path(f"/proc/{one.pid}/status").read_text(encoding="utf-8") if one.pid not in besides else ""
        except OSError:
            continue
        total += sum(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM"))
    return total


def server_of(hub):
    """Return the process of the one single-user server that a hub runs."""
    found = [
        one
        for one in psutil.Process(hub.process.pid).children(recursive=True)
        if "jupyterhub.singleuser" in " ".join(one.cmdline()[:4])
    ]
    if len(found) != 1:
        raise HubError(f"{len(found)} single-user servers run, where one should be measured")
    return found[0]


def notebooks():
    """Return {name: path} of all that can be measured: the chapters, and the assignments with their solutions."""
    chapters = {path.stem: path for path in sorted((ROOT / "chapters").glob("*.ipynb"))}
    assignments = {f"assignment {name}": SOURCES / name / f"{name}.ipynb" for name in NAMES}
    return {name: path for name, path in (chapters | assignments).items() if path.is_file()}


def code_of(path):
    """Return the code cells of a notebook, as a list of strings."""
    return [
        cell.source
        for cell in nbformat.read(path, as_version=4).cells
        if cell.cell_type == "code" and cell.source.strip()
    ]


def prepare(name, path, folder):
    """Put what a notebook needs beside it into ``folder``: for an assignment, its data and helpers."""
    folder.mkdir(parents=True)
    if not name.startswith("assignment "):
        return
    render(path.stem, SEED, folder / "made")
    for one in (folder / "made").iterdir():
        one.rename(folder / one.name)


def measure(names=(), record=RECORD, tell=print):
    """Measure the notebooks with these names (default: all) and the imports alone, and write the record."""
    found = notebooks()
    for name in names:
        if name not in found:
            raise HubError(f"There is no chapter or assignment called {name!r}: {', '.join(found)}")
    known = json.loads(record.read_text(encoding="utf-8"))["kernels"] if names and record.is_file() else {}
    with LocalHub([], ["anna"]) as hub:
        folders = {name: hub.home("anna") / name.replace(" ", "_") for name in names or found}
        for name, folder in folders.items():
            prepare(name, found[name], folder)
            hub.give("anna", folder)
        anna = hub.sign_in("anna")
        server = server_of(hub)
        time.sleep(3)  # the server settles: extensions that it loads after its first page
        with Watch(server, resident, EVERY) as watch:
            anna.get("api/contents/")
            time.sleep(1)
        alone = watch.largest
        tell(f"{'server, no kernel':40s}{alone / MB:8.0f} MB")
        cases = {name: ("", [code]) for name, code in PROBES.items()}
        cases |= {name: (folders[name].name, code_of(found[name])) for name in folders}
        for name, (folder, cells) in cases.items():
            start, failed = time.monotonic(), 0
            besides = {one.pid for one in server.children(recursive=True)}
            with Watch(server, resident, EVERY) as watch:
                kernel = anna.kernel(folder)
                for cell in cells:
                    told = anna.run(kernel, cell)
                    # A chapter's check may fail on a busy machine, for some compare times; its memory is right all the same.
                    failed += "AssertionError" in told
                    if "Traceback (most recent call last)" in told and "AssertionError" not in told:
                        raise HubError(f"{name} fails while its memory is measured:\n{told[-2000:]}")
                now = held(server, resident)
                largest = max(watch.largest - alone, peak(server, besides), now - alone)
            anna.send("DELETE", f"api/kernels/{kernel}").raise_for_status()
            before = known.get(name, {"largest_mb": 0, "runs": 0})
            known[name] = {
                "largest_mb": max(before["largest_mb"], round(largest / MB)),
                "at_the_end_mb": round((now - alone) / MB),
                "seconds": round(time.monotonic() - start, 1),
                "failed_checks": failed,
                "runs": before["runs"] + 1,
            }
            tell(f"{name:40s}{known[name]['largest_mb']:8d} MB   {known[name]['seconds']:6.0f} s")
            write(record, alone, known)  # each at once: who stops the command keeps what it has measured
            time.sleep(1)
    return json.loads(record.read_text(encoding="utf-8"))


def write(record, alone, known):
    """Write the record: ``alone``, the bytes of a server without kernels, and {name: what was measured}."""
    made = {
        "what": "resident memory of a single-user server, and what a kernel that runs each notebook adds to it at most",
        "made": datetime.now(UTC).strftime("%Y-%m-%d"),
        "by": "python -m coursework.hub measure",
        "edition": "sample",
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "cpus": os.cpu_count(),
        "versions": {
            one: version(one)
            for one in ("jupyterhub", "jupyter-server", "jupyterlab", "nbgrader", "numpy", "keras", "ipykernel")
        },
        "server_mb": round(alone / MB),
        "kernels": dict(sorted(known.items())),
    }
    record.write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")

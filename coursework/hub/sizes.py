"""What follows from the measured memory: guarantee and limit of a server, and how much a class needs.

``fit`` writes the numbers into the settings of both kinds of hub and into the README; a test says when they are stale.
"""

import json
import math
import re
from pathlib import Path

from coursework import MB, MIB
from coursework.hub import HERE, RECORD

CLASSES = (25, 50, 100, 200)
HUB_GB = 2  # for the hub, the proxy and the system itself: a choice, not measured
RESERVE = 1.1  # the guarantee's factor over what was measured
HEADROOM = 1.25  # the limit's: a student's own attempt needs more than the solution
LABELS = {
    "bare": "an empty notebook",
    "numpy": "imports of NumPy, Matplotlib and scikit-learn alone",
    "tensorflow": "import of Keras with TensorFlow alone",
}
BEGIN, END = "<!-- sizes: made by python -m coursework.hub fit -->", "<!-- end of the sizes -->"


def label(name):
    """Return what a measured notebook is called in a table."""
    if name in LABELS:
        return LABELS[name]
    kind, _, rest = name.rpartition(" ")
    return f"{kind or 'chapter'} {rest.replace('_', ' ')}"


def measured(path=RECORD):
    """Return the record of the measurement."""
    return json.loads(Path(path).read_text(encoding="utf-8"))


def up_to(megabytes, step):
    """Return ``megabytes`` (of 10**6 bytes) in MiB, rounded up to a multiple of ``step`` MiB: an int."""
    return math.ceil(megabytes * MB / MIB / step) * step


def parts(record):
    """Return what the sizes are made of, in MB: (server, a kernel with NumPy's work, the largest kernel of all).

    NumPy's work is the largest of the assignments that need no TensorFlow, or the imports alone if none was measured.
    """
    kernels = {name: one["largest_mb"] for name, one in record["kernels"].items()}
    without = [
        mb for name, mb in kernels.items() if name.startswith("assignment ") and name != "assignment forward_pass"
    ]
    return record["server_mb"], max([kernels["numpy"], *without]), max(kernels.values())


def guarantee(record):
    """Return the MiB that a server is promised: itself and one kernel at an assignment without TensorFlow, and a tenth."""
    server, usual, _ = parts(record)
    return up_to(RESERVE * (server + usual), 64)


def limit(record):
    """Return the MiB at which a server is stopped: itself, the largest kernel, another that was left open, and a quarter."""
    server, usual, largest = parts(record)
    return up_to(HEADROOM * (server + largest + usual), 256)


def class_gb(record, students):
    """Return the GB (10**9 bytes) for a class at work: (all at assignments without TensorFlow, all at the largest chapter)."""
    server, usual, largest = parts(record)
    return tuple(math.ceil(students * (server + one) / 1000 + HUB_GB) for one in (usual, largest))


def table(record):
    """Return the README's text about sizes, in Markdown."""
    server, usual, largest = parts(record)
    biggest = max(record["kernels"], key=lambda name: record["kernels"][name]["largest_mb"])
    lines = [
        f"| what (measured {record['made']}, JupyterHub {record['versions']['jupyterhub']}, Python {record['python']}) | MB |",
        "|---|---:|",
        f"| a single-user server, no kernel | {server} |",
        *(
            f"| a kernel more: {label(name)} | {one['largest_mb']} |"
            for name, one in sorted(record["kernels"].items(), key=lambda item: item[1]["largest_mb"])
        ),
        "",
        f"From this follow a guarantee of {guarantee(record)} MiB (server and an assignment without TensorFlow, {server + usual} MB, and a "
        f"tenth) and a limit of {limit(record)} MiB (server, the largest kernel, which is *{label(biggest)}*, and one of {usual} MB "
        "left open, and a quarter).",
        "",
        "| students at work at once | memory, all at assignments without TensorFlow | memory, all at the largest notebook |",
        "|---:|---:|---:|",
        *("| {} | {} GB | {} GB |".format(students, *class_gb(record, students)) for students in CLASSES),
    ]
    return "\n".join(lines)


def settings(record):
    """Return {path: its text with the sizes that follow from the record}."""
    made = {}
    values = HERE / "zero_to_jupyterhub/values.yaml"
    text = values.read_text(encoding="utf-8")
    for key, mib in (("guarantee", guarantee(record)), ("limit", limit(record))):
        text, times = re.subn(rf"(\n    {key}: )\d+M(  # fit)", rf"\g<1>{mib}M\g<2>", text)
        if times != 1:
            raise ValueError(f"{values} has {times} lines '{key}: ...M  # fit' where it should have one")
    made[values] = text
    commands = HERE / "littlest_jupyterhub/settings.sh"
    text, times = re.subn(
        r"(limits\.memory )\d+M(  # fit)", rf"\g<1>{limit(record)}M\g<2>", commands.read_text(encoding="utf-8")
    )
    if times != 1:
        raise ValueError(f"{commands} has {times} lines 'limits.memory ...M  # fit' where it should have one")
    made[commands] = text
    readme = HERE / "README.md"
    before, found, rest = readme.read_text(encoding="utf-8").partition(BEGIN)
    if not found or END not in rest:
        raise ValueError(f"{readme} lacks the lines {BEGIN} and {END}, between which the sizes stand")
    made[readme] = f"{before}{BEGIN}\n{table(record)}\n{END}{rest.partition(END)[2]}"
    return made


def fit(write=True, record=None):
    """Write the sizes where they belong; returns the paths that were out of date (with ``write=False``: only says so)."""
    stale = []
    for path, text in settings(record or measured()).items():
        if path.read_text(encoding="utf-8") != text:
            stale.append(path)
            if write:
                path.write_text(text, encoding="utf-8")
    return stale

"""Plant faults one at a time and see that the tests notice: ``python -m tools.upkeep.plant_faults [NAME ...]``.

Each file in ``tests/faults`` describes a fault: ``what`` it is, the ``file`` it goes into, the text to ``find`` there (exactly once) and
what to ``replace`` it with, and ``noticed_by``, the pytest arguments of what should notice (notebooks run through nbval). Faults go
into a copy of the project, never into the working tree. A fault that survives, one that no longer fits its file, and tests that fail
without any fault are failures.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "tests" / "faults"
TESTS_FAILED = 1  # pytest's exit status when tests ran and some failed; every other status is trouble of another kind
LEAST = 12
LONGEST_SECONDS = 1200  # many times what the slowest of these tests take, on a busy machine too


def read_faults(names=()):
    """Return name -> description of all faults, or of those named.

    Raises
    ------
    SystemExit
        If a file lacks an entry, or a name is unknown.
    """
    faults = {path.stem: tomllib.loads(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.toml"))}
    for name, fault in faults.items():
        missing = {"what", "file", "find", "replace", "noticed_by"} - set(fault)
        if missing:
            raise SystemExit(f"tests/faults/{name}.toml lacks {', '.join(sorted(missing))}")
    unknown = set(names) - set(faults)
    if unknown:
        raise SystemExit(f"no fault is called {', '.join(sorted(unknown))}; there are: {', '.join(faults)}")
    return {name: fault for name, fault in faults.items() if not names or name in names}


def copy_project(target):
    """Copy every file that git tracks or would track into the folder ``target``."""
    target.chmod(0o755)  # some tests start a process of another user, which must be able to read the copy
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True, check=True
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target / name)


def run_tests(folder, arguments):
    """Run pytest in a copy of the project; returns the exit status and the output."""
    options = ["-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist"]
    if any(".ipynb" in argument for argument in arguments):
        options += ["--nbval-lax", "--nbval-cell-timeout=300"]
    settings = {**os.environ, "PYTHONPATH": str(folder), "DIGITS_EDITION": "sample", "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", *options, *arguments]
    try:
        done = subprocess.run(
            command, cwd=folder, env=settings, capture_output=True, text=True, timeout=LONGEST_SECONDS
        )
    except subprocess.TimeoutExpired:  # a loop that no longer ends: nobody would wait longer
        return TESTS_FAILED, f"Error: no end after {LONGEST_SECONDS} s"
    return done.returncode, done.stdout + done.stderr


def plant(folder, fault):
    """Plant a fault in the copy; returns None, or why it does not fit."""
    path = folder / fault["file"]
    text = path.read_text(encoding="utf-8")
    count = text.count(fault["find"])
    if count != 1:
        return f"the text to find stands {count} times in {fault['file']}; it should stand once"
    path.write_text(text.replace(fault["find"], fault["replace"]), encoding="utf-8")
    return None


def try_fault(name, fault):
    """Plant one fault in a fresh copy and run what should notice it; returns (name, noticed, remark)."""
    with tempfile.TemporaryDirectory(prefix=f"fault-{name}-") as folder:
        copy_project(Path(folder))
        trouble = plant(Path(folder), fault)
        if trouble:
            return name, False, trouble
        status, output = run_tests(Path(folder), fault["noticed_by"])
    if status == TESTS_FAILED:
        lines = [
            line
            for line in output.splitlines()
            if line.startswith(("E   ", "AssertionError", "FAILED")) or "Error:" in line
        ]
        return name, True, lines[0].strip()[:150] if lines else ""
    return (
        name,
        False,
        "SURVIVED" if status == 0 else f"pytest ended with {status}, not with a failed test:\n{output[-1500:]}",
    )


def try_without_fault(arguments):
    """Run the noticing tests on an unchanged copy; returns (arguments, passed, output)."""
    with tempfile.TemporaryDirectory(prefix="no-fault-") as folder:
        copy_project(Path(folder))
        status, output = run_tests(Path(folder), arguments)
    return arguments, status == 0, output


def main(arguments=None):
    """Try all faults; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args(arguments)
    faults = read_faults(options.names)
    started = time.time()
    failures = []
    commands = sorted({tuple(fault["noticed_by"]) for fault in faults.values()})
    with ThreadPoolExecutor(options.workers) as pool:
        for command, passed, output in pool.map(try_without_fault, [list(command) for command in commands]):
            print(f"without a fault: {' '.join(command)}: {'passes' if passed else 'FAILS'}", flush=True)
            if not passed:
                failures.append(f"{' '.join(command)} fails without any fault:\n{output[-3000:]}")
        for name, noticed, remark in pool.map(lambda item: try_fault(*item), faults.items()):
            print(
                f"{'noticed ' if noticed else 'NOT NOTICED'} {name}: {faults[name]['what']}\n           {remark}",
                flush=True,
            )
            if not noticed:
                failures.append(f"{name}: {remark}")
    if not options.names and len(faults) < LEAST:
        failures.append(f"only {len(faults)} faults; at least {LEAST} are wanted")
    # Read by people and by CI alike: one plain line of counts.
    print("\n".join(failures), file=sys.stderr)
    print(f"{len(faults)} faults planted in {time.time() - started:.0f} s")
    print(f"{len(faults) - len(failures)} passed, {len(failures)} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())

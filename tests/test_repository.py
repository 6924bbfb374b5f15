"""The files around the book agree: workflow, issue forms, citation, licences, links, commands, versions."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import check_jsonschema
import notebook_rules as rules
import pytest
import yaml
from click.testing import CliRunner

from tools.copies import badges

ROOT = Path(__file__).resolve().parent.parent
WORKFLOW = ROOT / ".github" / "workflows" / "book.yml"
FORMS = sorted(path for path in (ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml") if path.name != "config.yml")
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
SCHEMAS = [
    ("vendor.github-workflows", WORKFLOW),
    ("custom.github-workflows-require-timeout", WORKFLOW),
    *[("vendor.github-issue-forms", path) for path in FORMS],
    ("vendor.github-issue-config", ROOT / ".github" / "ISSUE_TEMPLATE" / "config.yml"),
    ("vendor.citation-file-format", ROOT / "CITATION.cff"),
]
# Addresses that the Markdown files may link to. Each was looked at: the project has no address of its own yet.
KNOWN_ADDRESSES = {
    "https://creativecommons.org/licenses/by/4.0/",
    "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz",
}
BINARY = {".png", ".ico", ".keras", ".npz", ".gz", ".woff2"}


def project_files():
    """Every file that is in git or would go there."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if found.returncode:
        pytest.skip("needs git and a checkout")
    return [ROOT / name for name in found.stdout.split("\0") if name and (ROOT / name).is_file()]


def read(path):
    """The text of a file of the project."""
    return (ROOT / path).read_text(encoding="utf-8")


def markdown_files():
    """Every Markdown file of the project."""
    return [path for path in project_files() if path.suffix == ".md"]


def prose(text):
    """Markdown without code: blocks in fences that name no directive, and code spans."""
    return re.sub(r"`[^`\n]*`", "", rules.without_code_blocks(text))


def links(text):
    """The targets of links and pictures in Markdown."""
    found = re.findall(r"!?\[[^\]]*\]\(\s*<?([^)\s>]+)>?[^)]*\)", prose(text))
    return found + re.findall(r"(?:href|src)=[\"']([^\"']+)", prose(text))


def slugs(text):
    """The anchors that GitHub makes of a page's headings, and the labels of MyST."""
    titles = re.findall(r"^#+\s+(.+?)\s*$", rules.without_code_blocks(text), re.M)
    plain = [re.sub(r"[^\w\s-]", "", title.replace("`", "")).strip().lower().replace(" ", "-") for title in titles]
    return set(plain) | set(re.findall(r"^\(([\w-]+)\)=", text, re.M))


def broken_links(page, text):
    """What is wrong with a page's links."""
    for target in links(text):
        address, _, anchor = target.partition("#")
        if "://" in target or target.startswith("mailto:"):
            if target not in KNOWN_ADDRESSES and target not in links(badges.badges()):
                yield f"{page.name}: {target} is not on the list of addresses that somebody looked at"
            continue
        goal = (page.parent / address).resolve() if address else page
        if not goal.exists():
            yield f"{page.name}: {target} leads to no file"
        elif anchor and goal.suffix == ".md" and anchor not in slugs(goal.read_text(encoding="utf-8")):
            yield f"{page.name}: {target}: {goal.name} has no such heading"


def make_targets():
    """The targets that the Makefile describes."""
    return set(re.findall(r"^([a-z][a-z-]*):.*##", read("Makefile"), re.M))


def commands(text):
    """The make targets that a text names: ``make [SETTING=...] target ...`` in a span or on a line of a block."""
    blocks = re.findall(r"^```[a-z]*\n(.*?)^```", text, re.M | re.S)
    spans = re.findall(r"`([^`\n]+)`", re.sub(r"^```.*$", "", rules.without_code_blocks(text), flags=re.M))
    for line in [*"".join(blocks).splitlines(), *spans]:
        if found := re.match(r"(?:\w+=\S+ )*make((?: +[\w./=-]+)+)", line):
            yield from (word for word in found[1].split() if "=" not in word)


def schema_faults(schema, path):
    """What check-jsonschema says against a file; empty if nothing. The schemas come with it: no network."""
    result = CliRunner().invoke(check_jsonschema.main, ["--builtin-schema", schema, str(path)])
    return "" if result.exit_code == 0 else result.output


# ---------------------------------------------------------------- schemas


@pytest.mark.parametrize(("schema", "path"), SCHEMAS, ids=[f"{path.name}-{schema}" for schema, path in SCHEMAS])
def test_the_file_keeps_its_schema(schema, path):
    assert not schema_faults(schema, path)


@pytest.mark.parametrize(
    ("schema", "path", "old", "new"),
    [
        ("vendor.github-workflows", WORKFLOW, "runs-on:", "run-on:"),
        ("custom.github-workflows-require-timeout", WORKFLOW, "timeout-minutes: 60", ""),
        ("vendor.github-issue-forms", FORMS[0], "type: dropdown", "type: menu"),
        ("vendor.citation-file-format", ROOT / "CITATION.cff", "authors:", "writers:"),
    ],
)
def test_the_schemas_notice_a_fault(schema, path, old, new, tmp_path):
    text = path.read_text(encoding="utf-8")
    assert old in text
    (tmp_path / path.name).write_text(text.replace(old, new), encoding="utf-8")
    assert schema_faults(schema, tmp_path / path.name)


# ---------------------------------------------------------------- the workflow


def test_the_workflow_asks_for_little_and_tests_what_it_publishes():
    workflow = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))
    jobs = workflow["jobs"]
    assert workflow["permissions"] == {"contents": "read"}
    assert [name for name, job in jobs.items() if "permissions" in job] == ["copies", "publish"]
    assert jobs["copies"]["permissions"] == {"contents": "write"}
    assert jobs["publish"]["permissions"] == {"pages": "write", "id-token": "write"}
    assert set(jobs["publish"]["needs"]) == set(jobs) - {"publish"}
    assert jobs["full"]["env"]["DIGITS_EDITION"] == "full" and jobs["sample"]["env"]["DIGITS_EDITION"] == "sample"
    assert "pull_request_target" not in WORKFLOW.read_text(encoding="utf-8")
    for job in jobs.values():
        for step in job["steps"]:
            assert re.fullmatch(r"actions/[\w-]+@v\d+", step.get("uses", "actions/none@v0")), step


def test_the_workflow_runs_every_python_that_the_project_allows():
    matrix = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))["jobs"]["sample"]["strategy"]["matrix"]["python"]
    lowest, above = map(int, re.fullmatch(r">=3\.(\d+),<3\.(\d+)", PYPROJECT["project"]["requires-python"]).groups())
    assert matrix == [f"3.{minor}" for minor in range(lowest, above)]


def test_the_workflow_runs_targets_of_the_makefile():
    jobs = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))["jobs"].values()
    runs = [step["run"] for job in jobs for step in job["steps"] if "run" in step]
    named = {word for run in runs for word in commands(f"`{run}`")}
    assert (
        named == {"test", "test-site", "test-faults", "test-coursework", "test-measurements", "pdf"}
        and named <= make_targets()
    )


# ---------------------------------------------------------------- links, commands, paths


def test_there_are_markdown_files():
    names = {path.name for path in markdown_files()}
    assert {"README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "troubleshooting.md", "glossary.md"} <= names


def test_every_link_leads_somewhere():
    found = [one for page in markdown_files() for one in broken_links(page, page.read_text(encoding="utf-8"))]
    assert not found, "\n".join(found)


def test_every_link_of_a_chapter_leads_somewhere():
    for chapter in rules.book_chapters():
        page = ROOT / "chapters" / f"{chapter.name}.ipynb"
        relative = [target for target in links(chapter.text) if "://" not in target and not target.startswith("#")]
        missing = [target for target in relative if not (page.parent / target.partition("#")[0]).exists()]
        assert not missing, f"{page.name}: {missing}"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[a](no_such_file.md)", "leads to no file"),
        ("![a picture](_static/none.png)", "leads to no file"),
        ("[a](CHANGELOG.md#no-such-heading)", "no such heading"),
        ("[a](https://example.org/nowhere)", "not on the list"),
        ('<img src="none.svg">', "leads to no file"),
    ],
)
def test_a_broken_link_is_noticed(text, complaint):
    assert complaint in " ".join(broken_links(ROOT / "README.md", text))


@pytest.mark.parametrize(
    "text", ["[a](CHANGELOG.md#changelog)", "`[a](none.md)`", "```\n[a](none.md)\n```\n", "[a](data/)"]
)
def test_a_good_link_and_code_are_no_fault(text):
    assert not list(broken_links(ROOT / "README.md", text))


def test_every_make_command_in_a_text_exists():
    texts = {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in markdown_files()}
    texts |= {chapter.name: "\n".join(cell.source for cell in chapter.markdown) for chapter in rules.book_chapters()}
    known = make_targets()
    unknown = [f"{name}: make {word}" for name, text in texts.items() for word in commands(text) if word not in known]
    assert not unknown, "\n".join(unknown)
    assert {"book", "test", "lab"} <= set(commands(texts["README.md"]))


def test_an_unknown_command_is_noticed():
    text = "Type `make PYTHON=python3.12 nothing`\n```\nmake book      # a comment\n```\nIt does `not`, make `sense`."
    assert sorted(commands(text)) == ["book", "nothing"]


def test_no_file_names_a_path_of_somebodys_machine():
    """The account names student and jovyan are those of the sandbox and of the image for JupyterHub, and nobody's."""
    found = []
    for path in project_files():
        if path.suffix in BINARY or path.is_relative_to(ROOT / "tests"):
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if re.search(
                r"(?<![\w.~$}])/(?:work|root|home/(?!student\b|jovyan\b)\w+|Users/\w+)/|[A-Z]:\\Users\\", line
            ):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}")
    assert not found, "\n".join(found)


# ---------------------------------------------------------------- what must agree


def test_the_lock_names_versions_and_no_registry():
    text = read("requirements.txt")
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    assert "://" not in text and not [line for line in lines if line.startswith("-") and line != "-e ."]
    assert "-e ." in lines and len(lines) > 100
    assert not [line for line in lines if line != "-e ." and not re.match(r"[a-z0-9._-]+(\[\w+\])?==\S+", line)]


def test_the_lock_holds_every_direct_dependency():
    extras = PYPROJECT["project"]["optional-dependencies"]
    for lock, groups in (
        ("requirements.txt", [PYPROJECT["project"]["dependencies"], extras["book"]]),
        ("requirements-teaching.txt", [extras["teaching"]]),
        ("requirements-cluster.txt", [extras["cluster"]]),
    ):
        locked = set(re.findall(r"^([a-z0-9._-]+)==", read(lock), re.M))
        wanted = {re.match(r"[\w.-]+", one)[0].lower() for group in groups for one in group}
        assert wanted and wanted <= locked, wanted - locked
    assert set(extras) == {"book", "teaching", "cluster"}


def pins(text):
    """The packages of a lock: {name: {what follows the name: version and marker}}, for one may stand there several times."""
    found = {}
    for name, rest in re.findall(r"^([a-z0-9._-]+)(?:\[\w+\])?==(.+)$", text, re.M):
        found.setdefault(name, set()).add(re.sub(r"\s+", " ", rest).strip())
    return found


def versions(lines):
    """The versions alone."""
    return {line.split(" ")[0] for line in lines}


def disagreements(book, teaching):
    """The packages that the two locks give other versions."""
    return {name for name in set(book) & set(teaching) if versions(book[name]) != versions(teaching[name])}


@pytest.mark.parametrize(
    ("lock", "own", "shared"),
    [
        ("requirements-teaching.txt", {"nbgrader", "jupyterhub"}, 50),
        ("requirements-cluster.txt", {"distributed", "dask"}, 5),
    ],
)
def test_an_extras_lock_adds_to_the_readers_and_changes_none_of_it(lock, own, shared):
    book, extra = pins(read("requirements.txt")), pins(read(lock))
    assert not disagreements(book, extra)
    assert own <= set(extra) - set(book), "no reader needs these"
    assert len(set(book) & set(extra)) > shared
    text = read(lock)
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    assert "://" not in text and not [line for line in lines if not re.match(r"[a-z0-9._-]+==\S+", line)]
    assert not re.search(r"-[cr] /", text), "a path of the machine that made the lock"


def test_the_locks_of_the_extras_agree_with_each_other():
    assert not disagreements(pins(read("requirements-teaching.txt")), pins(read("requirements-cluster.txt")))


def test_two_locks_that_disagree_are_noticed():
    book = pins("numpy==2.1.0\n    # via x\npandas==3.0.0 ; sys_platform == 'win32'\n")
    assert disagreements(book, pins("numpy==2.1.0 ; python_version > '3'\nrich==1\n")) == set()
    assert disagreements(book, pins("numpy==2.1.1\npandas==3.0.0\n")) == {"numpy"}


def test_the_version_is_the_same_everywhere():
    citation = yaml.safe_load(read("CITATION.cff"))
    versions = {
        "pyproject.toml": PYPROJECT["project"]["version"],
        "CITATION.cff": citation["version"],
        "CITATION.cff, preferred citation": citation["preferred-citation"]["version"],
        "CHANGELOG.md, its first entry": re.search(r"^## (\d+\.\d+\.\d+)", read("CHANGELOG.md"), re.M)[1],
        "README.md": re.search(r"version (\d+\.\d+\.\d+)", read("README.md"))[1],
    }
    assert len(set(versions.values())) == 1, versions


def test_the_citation_names_no_person_and_no_address():
    citation = yaml.safe_load(read("CITATION.cff"))
    for part in (citation, citation["preferred-citation"]):
        assert [sorted(author) for author in part["authors"]] == [["name"]]
        assert part["title"] == yaml.safe_load(read("_config.yml"))["title"]
    assert "://" not in read("CITATION.cff")


def test_the_licences_are_what_the_other_files_say():
    assert read("LICENSE").startswith("BSD 3-Clause License\n") and "CC BY 4.0" in read("LICENSE-TEXT")
    assert "https://creativecommons.org/licenses/by/4.0/" in read("LICENSE-TEXT")
    assert PYPROJECT["project"]["license"] == "BSD-3-Clause"
    assert yaml.safe_load(read("CITATION.cff"))["license"] == ["BSD-3-Clause", "CC-BY-4.0"]
    holder = "the authors of Handwritten Digit Recognition with Neural Networks"
    assert holder in read("LICENSE") and holder in read("LICENSE-TEXT")


def test_no_term_is_defined_twice():
    terms = [term.casefold() for term in rules.glossary_terms(read("glossary.md"))]
    assert len(terms) >= 60
    assert sorted(set(terms)) == sorted(terms), [term for term in set(terms) if terms.count(term) > 1]


def test_the_bibliography_is_complete():
    entries = re.findall(r"^@(\w+)\{(\w+),(.*?)^\}", read("references.bib"), re.M | re.S)
    assert len(entries) == len({key for _, key, _ in entries}) >= 20
    for kind, key, text in entries:
        fields = dict(re.findall(r"^  (\w+) = \{(.*)\},$", text, re.M))
        assert {"author", "title", "year"} <= set(fields), f"{key} lacks a field"
        assert kind != "article" or {"journal", "volume", "pages"} <= set(fields), f"{key} lacks a field"
    assert "author = {{Course report AI23331}}" in read("references.bib")


def test_ruff_finds_nothing():
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--quiet", "."], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_name_that_the_system_has_set_is_nobodys_choice():
    """Windows' Linux sets NAME to the computer's; only what stands on make's own command line counts."""
    environment = {**os.environ, "NAME": "DESKTOP-1", "ALL": "yes", "BUILT": "yes"}

    def would_run(*arguments):
        command = ["make", "-n", "-o", ".venv/.installed", "test", *arguments]
        return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True).stdout

    assert "DESKTOP-1" not in would_run() and "loadfile tests" in would_run()
    assert "loadfile tests/helpers" in would_run("NAME=tests/helpers")

"""tools/upkeep/mutants.py and try_mutants.py: faults by rule, planted one at a time, kept with what became of them."""

import ast
import json
import shutil

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from notebook_rules import ROOT

from tools.upkeep import mutants, try_mutants


def changed(text, names=()):
    """Return every changed version of a piece of code."""
    return {text[:start] + new + text[end:] for start, end, new in mutants.code_changes(text, names)}


@pytest.mark.parametrize(
    ("code", "faulty"),
    [
        ("y = a + b", "y = a - b"),
        ("y = a ** 2", "y = a * 2"),
        ("y = a < b", "y = a >= b"),
        ("y = a not in b", "y = a in b"),
        ("y = x[1:]", "y = x[2:]"),
        ("y = x[-1]", "y = x[1]"),
        ("y = 0.5", "y = 0.75"),
        ("y = f(x, shuffle=True)", "y = f(x, shuffle=False)"),
        ("k = accuracy.argmax()", "k = accuracy.argmin()"),
        ("k = max(found)", "k = min(found)"),
        ("s = x.std(ddof=1)", "s = x.std(ddof=0)"),
        ("s = x.sum(axis=1)", "s = x.sum(axis=0)"),
        ("r = mcnemar(first, second)", "r = mcnemar(second, first)"),
        ("if a:\n    b = 1", "if not (a):\n    b = 1"),
        ("b = 1 if a else 2", "b = 1 if (not (a)) else 2"),
        ("total += 1", "total -= 1"),
        ("model.fit(x, y)", "pass"),
        ('v = run["val_accuracy"]', 'v = run["test_accuracy"]'),
        ("v = digits.x_test", "v = digits.x_train"),
    ],
)
def test_code_is_changed_where_it_matters(code, faulty):
    assert faulty in changed(code)


def test_names_stand_in_for_others_that_are_there():
    assert "p = model(x_test)" in changed("p = model(x_val)", {"x_val", "x_test"})
    assert not changed("p = model(x_val)", {"x_val"})


@pytest.mark.parametrize(
    "code",
    [
        "assert a < 5",
        'claim("a is small", a < 5)',
        'check("a", a + 1)',
        'ax.set(xlim=(0, 5), title="x")',
        "fig, ax = plt.subplots(1, 2, figsize=(8, 3))",
        "import numpy as np",
        'def f():\n    """Add 1 to 2."""',
        "a = plot(x, linewidth=2, alpha=0.5)",
    ],
)
def test_guards_and_looks_are_left_alone(code):
    assert changed(code) == set()


def test_what_is_changed_stays_code():
    code = (ROOT / "helpers" / "evaluation.py").read_text(encoding="utf-8")
    versions = changed(code)
    assert len(versions) > 12
    for version in versions:
        ast.parse(version)


def say_versions(source):
    return {source[:start] + new + source[end:] for start, end, new in mutants.say_changes(source)}


def test_sentences_are_changed_in_words_and_numbers():
    source = 'say(f"The validation accuracy {share(a):.1%} is better than {share(b):.1%}.")'
    versions = say_versions(source)
    assert source.replace("validation", "test") in versions and source.replace("better", "worse") in versions
    assert source.replace("share(a)", "share(b)", 1) in versions
    assert any(".1f" in one for one in versions)
    assert say_versions('print("better")') == set()


def test_text_is_changed_where_it_compares():
    text = "The rows are read first. The SVM is always better."
    versions = [text[:start] + new + text[end:] for start, end, new in mutants.prose_changes(text)]
    assert sorted(versions) == [
        "The rows are read first. The SVM is always worse.",
        "The rows are read first. The SVM is never better.",
    ]


def test_figures_are_changed_in_what_they_say():
    source = 'ax.plot(x, y, label="ours")\nax.plot(x, z, label="theirs")\nax.imshow(matrix)'
    versions = [source[:start] + new + source[end:] for start, end, new in mutants.figure_changes(source)]
    for part in ("plot(y, x", "np.asarray(y)[::-1]", 'plot(x, y, label="theirs")', "np.asarray(matrix).T"):
        assert any(part in one for one in versions), part


@pytest.mark.parametrize("kind", mutants.KINDS)
def test_there_are_mutants_of_every_kind_and_each_can_be_planted(kind, tmp_path):
    found = mutants.MAKERS[kind]()
    assert len(found) > 50, "the rules find little of this kind"
    for one in found[:: max(1, len(found) // 8)]:
        target = tmp_path / one.file
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / one.file, target)
        before = target.read_bytes()
        one.apply(tmp_path)
        assert target.read_bytes() != before
        if target.suffix == ".json":
            json.loads(target.read_text(encoding="utf-8"))


def test_a_notebook_is_changed_in_one_cell_alone(tmp_path):
    notebook = new_notebook(cells=[new_markdown_cell("5"), new_code_cell("a = 5"), new_code_cell("a = 5")])
    path = tmp_path / "one.ipynb"
    path.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    mutants.Mutant("cells", "one.ipynb", 1, 4, 5, "5", "6", "a = 5").apply(tmp_path)
    assert [cell.source for cell in nbformat.read(path, as_version=4).cells] == ["5", "a = 6", "a = 5"]


# ---------------------------------------------------------------- trying them


@pytest.fixture
def tried(monkeypatch, tmp_path):
    """Three mutants, of which the one with "quiet" in its name survives, and a record of their own."""
    found = [
        mutants.Mutant("helpers", "helpers/x.py", None, 0, 1, "a", "b", line) for line in ("loud", "quiet", "noisy")
    ]
    monkeypatch.setattr(try_mutants, "RECORD", tmp_path / "mutants.json")
    monkeypatch.setattr(mutants, "all_mutants", lambda kinds: found)
    calls = []

    def try_mutant(mutant):
        calls.append(mutant.line)
        return mutant, "" if mutant.line in quiet else "tests"

    quiet = {"quiet"}
    monkeypatch.setattr(try_mutants, "try_mutant", try_mutant)
    return calls, quiet


def test_new_ones_are_tried_once_and_kept(tried, capsys):
    calls, _ = tried
    assert try_mutants.main(["--new", "5"]) == 0 and sorted(calls) == ["loud", "noisy", "quiet"]
    record = try_mutants.load()["helpers"]
    assert len(record["noticed"]) == 2 and list(record["survived"].values()) == [""]
    assert "66%" in capsys.readouterr().out
    assert try_mutants.main(["--new", "5"]) == 0 and len(calls) == 3


def test_what_was_noticed_must_be_noticed_still(tried, capsys):
    calls, quiet = tried
    try_mutants.main(["--new", "5"])
    calls.clear()
    assert try_mutants.main(["--seconds", "60"]) == 0 and sorted(calls) == ["loud", "noisy"]
    quiet.add("noisy")
    assert try_mutants.main(["--seconds", "60"]) == 1
    assert "noticed once, and no more" in capsys.readouterr().err
    calls.clear()
    assert try_mutants.main(["--seconds", "0"]) == 0 and calls == [], "no time, no mutant"


def test_a_survivor_that_is_no_fault_does_not_count(tried, capsys):
    try_mutants.main(["--new", "5"])
    record = try_mutants.load()
    record["helpers"]["survived"] = dict.fromkeys(record["helpers"]["survived"], "no fault: a message's wording")
    try_mutants.save(record)
    assert "100%" in "\n".join(try_mutants.table(record))
    tried[1].clear()
    try_mutants.main(["--again"])
    record = try_mutants.load()["helpers"]
    assert len(record["noticed"]) == 3 and [name.split(": ")[1][:5] for name in record["mended"]] == ["quiet"]


def test_guards_are_tests_that_are_there():
    for kind in mutants.KINDS:
        for one in mutants.MAKERS[kind]()[::60]:
            for arguments in try_mutants.guards_of(one):
                assert arguments, one.name
                assert all(
                    (ROOT / path).exists() for path in arguments if path.endswith(".py") or path.endswith(".ipynb")
                ), arguments

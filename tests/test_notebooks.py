"""The chapters keep the book's rules (nothing is executed here), and each rule notices what it is for."""

import copy
import subprocess
import sys

import nbformat
import notebook_rules as rules
import pytest
import yaml
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from notebook_rules import ROOT, Chapter

CHAPTERS = rules.book_chapters()
EVERY_CHAPTER = pytest.mark.parametrize("chapter", [pytest.param(chapter, id=chapter.name) for chapter in CHAPTERS])

# ---------------------------------------------------------------- a small chapter that keeps all rules

FIGURE = {
    "mystnb": {
        "image": {"alt": "A straight line that climbs from the lower left to the upper right."},
        "figure": {"caption": "A line.", "name": "fig-toy-line"},
    }
}
SAY = {"tags": ["remove-input"], "jupyter": {"source_hidden": True}}
HIDDEN = {"tags": ["remove-cell"]}
KEPT = {"tags": ["keep_output", "nbval-check-output"]}


def toy():
    """A notebook (a dict) of a chapter called "toy"; a cell is found again by the first word of its source."""
    cells = [
        new_markdown_cell("# A toy\n\nWhy.\n\nBy the end you can play. It takes 20 seconds."),
        new_code_cell("import numpy as np\nfrom helpers.plots import book_style\n\nbook_style()"),
        new_markdown_cell(
            "## Is it straight?\n\nLook at {numref}`fig-toy-line`, {term}`line`, {cite}`Euclid`.\n\n### Really?"
        ),
        new_code_cell("fig, ax = plt.subplots()\nax.plot([1, 2]);", metadata=FIGURE),
        new_code_cell("def draw_line(ax):\n    ax.plot([1, 2])", metadata={}),
        new_code_cell('say(f"It climbs by {slope:.1f}.")', metadata=SAY),
        new_code_cell('glue("toy_slope", float(slope))', metadata=HIDDEN),
        new_code_cell(
            'check("slope", slope, full=(0.9, 1.1), sample=(1 - 0.2, 1.2), runs=10)\nassert slope > 0', metadata=HIDDEN
        ),
        new_code_cell("assert a == 1\nassert b == 1\nassert c == 1\nassert d == 1", metadata=HIDDEN),
        *[
            new_code_cell(
                f"shape_{i}",
                metadata=KEPT,
                execution_count=i + 1,
                outputs=[new_output("execute_result", {"text/plain": "(1, 2)"}, execution_count=i + 1)],
            )
            for i in range(3)
        ],
        new_markdown_cell("## Summary\n\nIt was."),
        new_markdown_cell("## Exercises"),
    ]
    for label in ("ex-toy-one", "ex-toy-two", "ex-toy-three"):
        cells += [
            new_markdown_cell(f"```{{exercise-start}}\n:label: {label}\n```"),
            new_markdown_cell("Do it.\n\n```{exercise-end}\n```"),
            new_markdown_cell(f"```{{solution-start}} {label}\n:class: dropdown\n```"),
            new_code_cell("answer = 1"),
            new_markdown_cell("```{solution-end}\n```"),
        ]
    cells += [new_markdown_cell("## What's next\n\nMore."), new_markdown_cell("## Further reading\n\n{cite}`Euclid`")]
    from tools.copies.setup_cell import with_setup_cell

    return with_setup_cell(new_notebook(cells=cells))


def find(notebook, start):
    """The first cell whose source starts with ``start``."""
    return next(cell for cell in notebook["cells"] if cell["source"].startswith(start))


def replaced(start, old, new):
    """A fault: ``old`` becomes ``new`` in the source of the cell that starts with ``start``."""

    def plant(notebook):
        cell = find(notebook, start)
        assert old in cell["source"]
        cell["source"] = cell["source"].replace(old, new)

    return plant


def metadata(start, **changes):
    """A fault: other metadata in the cell that starts with ``start`` (None: takes an entry away)."""

    def plant(notebook):
        cell = find(notebook, start)
        merged = copy.deepcopy(dict(cell["metadata"])) | changes
        cell["metadata"] = nbformat.from_dict({key: value for key, value in merged.items() if value is not None})

    return plant


def cell(source, **about):
    """A fault: one more code cell, before the summary."""
    return lambda notebook: notebook["cells"].insert(13, new_code_cell(source, metadata=about))


def text(source):
    """A fault: one more Markdown cell, before the summary."""
    return lambda notebook: notebook["cells"].insert(13, new_markdown_cell(source))


def mystnb(image=(), figure=()):
    """Metadata of a figure, changed."""
    return {"image": FIGURE["mystnb"]["image"] | dict(image), "figure": FIGURE["mystnb"]["figure"] | dict(figure)}


def stored(start, **changes):
    """A fault: other fields (outputs, execution_count) in the cell that starts with ``start``."""
    return lambda notebook: find(notebook, start).update(nbformat.from_dict(changes))


def without(start):
    """A fault: the cell that starts with ``start`` is gone."""
    return lambda notebook: notebook["cells"].remove(find(notebook, start))


PRINTED = [{"output_type": "stream", "name": "stdout", "text": "1\n"}]
PICTURE = [
    {"output_type": "display_data", "metadata": {}, "data": {"image/png": "iVBO", "text/plain": "<Figure size 1x1>"}}
]
CHECK = 'check("slope"'

FAULTS = [
    # the rule, what it must say, the fault
    (rules.stored_outputs, "stores an output that nothing compares", stored("import", outputs=PRINTED)),
    (rules.stored_outputs, "keeps an execution count", stored("import", execution_count=3)),
    (rules.stored_outputs, "stores no output with a text", stored("shape_0", outputs=[])),
    (rules.stored_outputs, "stores no output with a text", stored("shape_0", outputs=PICTURE)),
    (rules.stored_outputs, "stores no output with a text", stored("shape_0", outputs=[{**PRINTED[0], "text": " \n"}])),
    (rules.stored_outputs, "no execution count", stored("shape_0", execution_count=None)),
    (rules.stored_outputs, "tagged keep_output only", metadata("shape_0", tags=["keep_output"])),
    (rules.stored_outputs, "tagged nbval-check-output only", metadata("shape_0", tags=["nbval-check-output"])),
    (
        rules.stored_outputs,
        "stores an error",
        stored("shape_0", outputs=[{"output_type": "error", "ename": "E", "evalue": "", "traceback": []}, *PRINTED]),
    ),
    (rules.enough_stored, "2 cells", without("shape_0")),
    (rules.no_way_out, "tag raises-exception", metadata("import", tags=["raises-exception"])),
    (rules.no_way_out, "tag nbval-skip", metadata("import", tags=["nbval-skip"])),
    (rules.no_way_out, "tag nbval-ignore-output", metadata("shape_0", tags=["keep_output", "nbval-ignore-output"])),
    (rules.no_way_out, "tag remove_cell", metadata("assert", tags=["remove_cell"])),
    (rules.no_way_out, "NBVAL_SKIP", replaced("answer", "answer", "# NBVAL_SKIP\nanswer")),
    (rules.no_way_out, "shell command or a magic", cell("!pip install numpy")),
    (rules.no_way_out, "shell command or a magic", cell("%%capture\nx = 1")),
    (rules.no_way_out, "is not Python", cell("x = = 1")),
    (rules.no_way_out, "swallows failures", cell("try:\n    assert x\nexcept AssertionError:\n    pass")),
    (rules.no_way_out, "swallows failures", cell("try:\n    f()\nexcept:\n    pass")),
    (rules.no_way_out, "kernelspec", lambda notebook: notebook["metadata"].pop("kernelspec")),
    (rules.clean, "is not clean", stored("import", execution_count=3)),
    (rules.clean, "is not clean", stored("import", id="other")),
    (rules.clean, "is not clean", metadata("import", collapsed=True)),
    (rules.bones, "does not start with the title", replaced("# A toy", "# A toy", "A toy")),
    (
        rules.bones,
        "does not start with the title",
        lambda notebook: notebook["cells"].insert(0, new_code_cell("x = 1")),
    ),
    (rules.bones, "2 headings of the first level", text("# Another title")),
    (rules.bones, "skips a level", text("##### Too deep")),
    (rules.bones, "By the end you can", replaced("# A toy", "By the end you can", "You may")),
    (rules.bones, "how long", replaced("# A toy", "20 seconds", "no time")),
    (rules.bones, "the last sections are", without("## Summary")),
    (rules.bones, "the last sections are", without("## What's next")),
    (rules.bones, "the last sections are", lambda notebook: notebook["cells"].append(new_markdown_cell("## And more"))),
    (rules.bones, "Further reading cites nothing", replaced("## Further", "{cite}`Euclid`", "Euclid")),
    (rules.imports, "imports nothing", without("import")),
    (rules.imports, "all imports stand in the first cell", replaced("answer", "answer = 1", "import os")),
    (rules.cell_size, "has 26 lines", cell("\n".join(f"x = {i}" for i in range(26)))),
    (rules.cell_size, "a line of 111 characters", cell("x = " + "1" * 107)),
    (rules.nothing_private, "mentions /home/", text("It lies in /home/somebody.")),
    (rules.nothing_private, "mentions /tmp/", cell('open("/tmp/x")')),
    (rules.nothing_private, "mentions C04", text("Claim C04 is false.")),
    (
        rules.exercises,
        "exercise ex-toy-one has no solution",
        replaced("```{solution-start} ex-toy-one", "ex-toy-one", "ex-toy-none"),
    ),
    (
        rules.exercises,
        "solution of ex-toy-none has no exercise",
        replaced("```{solution-start} ex-toy-one", "ex-toy-one", "ex-toy-none"),
    ),
    (rules.exercises, "stands twice", text("```{exercise}\n:label: ex-toy-one\n```")),
    (rules.exercises, "is not folded", replaced("```{solution-start} ex-toy-one", "\n:class: dropdown", "")),
    (rules.exercises, "without a label", replaced("```{exercise-start}", "ex-toy-one", "toy-one")),
    (rules.exercises, "inside of exercise-start", replaced("Do it", "```{exercise-end}\n```", "")),
    (rules.exercises, "exercise-end without exercise-start", without("```{exercise-start}")),
    (
        rules.exercises,
        "solution-start without solution-end",
        lambda n: [n["cells"].remove(c) for c in n["cells"][-4:] if "solution-end" in c.source],
    ),
    (rules.exercises, "2 exercises, fewer", lambda n: n["cells"].__delitem__(slice(14, 19))),
    (rules.self_checks, "in sight", cell("answer = 7\ntry_it(answer, 7)")),
    (rules.self_checks, "in sight", cell("try_it(answer, 7)", tags=["remove-input"])),
    (rules.self_checks, "to be filled in", cell("answer = ...\ntry_it(answer, 7)", **SAY)),
    (rules.self_checks, "to be filled in", cell("def f():\n    return ...\n\ntry_it(f(), 7)", **SAY)),
    (rules.figures, "alternative text", metadata("fig,", mystnb={"figure": FIGURE["mystnb"]["figure"]})),
    (rules.figures, "has 6 characters", metadata("fig,", mystnb=mystnb(image={"alt": "A line"}))),
    (rules.figures, "without a caption", metadata("fig,", mystnb=mystnb(figure={"caption": " "}))),
    (
        rules.figures,
        "repeats the caption",
        metadata("fig,", mystnb=mystnb(figure={"caption": FIGURE["mystnb"]["image"]["alt"]})),
    ),
    (rules.figures, "its name", metadata("fig,", mystnb=mystnb(figure={"name": "toy-line"}))),
    (rules.figures, "never refers", replaced("## Is it", "{numref}`fig-toy-line`", "the picture")),
    (rules.figures, "never refers", replaced("## Is it", "{numref}`fig-toy-line`", "{numref}`fig-toy-line-two`")),
    (rules.figures, "draws without a caption", metadata("fig,", mystnb=None)),
    (rules.figures, "draws without a caption", cell("show_digits(x_train[:10]);")),
    (rules.figures, "draws without a caption", cell("sns.heatmap(matrix);")),
    (rules.figures, "draws without a caption", cell("draw_line(axes[0])")),
    (rules.figures, "draws without a caption", cell("for image in x_train:\n    axes[0].imshow(image)")),
    (rules.figures, "draws without a caption", cell("from helpers.plots import reliability\nreliability(p, y)")),
    (rules.figures, "shows an image", text("![](picture.png)")),
    (rules.figures, "image directive", text("```{figure} picture.png\n:name: fig-toy-x\n```")),
    (rules.sentences, "not tagged remove-input", metadata("say", tags=[])),
    (rules.sentences, "source_hidden", metadata("say", jupyter=None)),
    (rules.sentences, "not tagged remove-input", cell('if edition == "full":\n    say("Yes.")')),
    (rules.setup, "not the one for Google Colab", replaced("# For Google Colab", "--quiet", "--user")),
    (rules.setup, "not the one for Google Colab", metadata("# For Google Colab", tags=[])),
    (rules.setup, "not the one for Google Colab", without("# For Google Colab")),
    (rules.setup, "not the one for Google Colab", lambda notebook: notebook["cells"].insert(1, new_code_cell("x = 1"))),
    (rules.setup, "stands twice", lambda notebook: notebook["cells"].append(find(notebook, "# For Google Colab"))),
    (rules.checks, "not tagged remove-cell", metadata(CHECK, tags=[])),
    (rules.checks, "not tagged remove-cell", metadata("assert", tags=["remove-input"])),
    (rules.checks, "come from 3 runs", replaced(CHECK, "runs=10", "runs=3")),
    (rules.checks, "come from 1 run,", replaced(CHECK, "runs=10", "runs=1")),
    (rules.checks, "come from None runs", replaced(CHECK, ", runs=10", "")),
    (rules.checks, "not tagged remove-cell", cell('claim("it rises", a > b)')),
    (rules.checks, "full bounds of 'slope' cannot fail", replaced(CHECK, "(0.9, 1.1)", "(0, 1)")),
    (rules.checks, "full bounds of 'slope' cannot fail", replaced(CHECK, "(0.9, 1.1)", "(0, 1e400)")),
    (rules.checks, "full bounds of 'slope' are not two numbers", replaced(CHECK, "(0.9, 1.1)", "(0, np.inf)")),
    (rules.checks, "sample bounds of 'slope' leave no room", replaced(CHECK, "(1 - 0.2, 1.2)", "(1.2, 0.8)")),
    (rules.checks, "cannot fail", replaced("assert", "assert a == 1", "assert True")),
    (rules.checks, "cannot fail", replaced("assert", "assert a == 1", 'assert (a == 1, "not one")')),
    (
        rules.checks,
        "two checks are called 'slope'",
        cell('check("slope", slope, full=(0.9, 1.1), runs=5)', tags=["remove-cell"]),
    ),
    (rules.checks, "two checks are called 'slope'", cell('check("slope", slope)', tags=["remove-cell"])),
    (rules.checks, "not tagged remove-cell", cell('claim("it climbs by", slope > 0)')),
    (rules.checks, "needs a condition", cell('claim("it climbs by", True)', tags=["remove-cell"])),
    (rules.checks, "needs a condition", cell('claim("it climbs by", (slope > 0, 1))', tags=["remove-cell"])),
    (rules.checks, "needs a condition", cell('claim("it climbs by")', tags=["remove-cell"])),
    (rules.checks, "neither checks nor glues", cell("x = 1", tags=["remove-cell"])),
    (rules.checks, "2 checks in hidden cells", without("assert")),
    (rules.glue_names, "does not start with toy_", replaced("glue", "toy_slope", "slope")),
    (rules.glue_names, "glued twice", cell('glue("toy_slope", 2.0)', tags=["remove-cell"])),
    (rules.glue_names, "cannot be read off", cell("glue(name, 2.0)", tags=["remove-cell"])),
]


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.__name__)
def test_the_toy_chapter_keeps_the_rule(rule):
    assert list(rule(Chapter("toy", toy()))) == []


def test_every_rule_is_shown_to_bite():
    assert {rule for rule, _, _ in FAULTS} == set(rules.RULES)


@pytest.mark.parametrize(
    ("rule", "complaint", "fault"), FAULTS, ids=[f"{rule.__name__}-{words}" for rule, words, _ in FAULTS]
)
def test_the_rule_notices(rule, complaint, fault):
    notebook = toy()
    fault(notebook)
    found = list(rule(Chapter("toy", notebook)))
    assert any(complaint in one for one in found), found


@pytest.mark.parametrize(
    "harmless",
    [
        cell("optimizer.step(gradients)\nplt.close()"),
        cell("def picture():\n    show_digits(x)"),
        cell("import os\nassert os.name", tags=["remove-cell"]),
        cell('x = 1\nassert x == 1, "teaching by an assert in a cell that does something else"'),
        cell('for name in names:\n    check(f"slope of {name}", 1, full=(-0.5, 2 * 3), runs=5)', tags=["remove-cell"]),
        cell('check("fixed", 1, full=(0.96, 1.0), sample=(0.7, 0.72), runs=1)', tags=["remove-cell"]),
        cell('check("held by its band", slope)\nclaim("it climbs by", slope > 0)', tags=["remove-cell"]),
        cell('claim("it climbs by", slope > 0)', tags=["remove-cell"]),
        cell('for name in names:\n    glue(f"toy_{name}_slope", 1.0)', tags=["remove-cell"]),
        text("```python\nimport os\n![](x.png)\n# A comment, no title\n```"),
        text("```{exercise}\n:label: ex-toy-four\nDo.\n```\n\n```{solution} ex-toy-four\n:class: dropdown\nDone.\n```"),
    ],
)
def test_harmless_cells_break_no_rule(harmless):
    from tools.upkeep.clean_notebooks import cleaned

    notebook = toy()
    harmless(notebook)
    chapter = Chapter("toy", cleaned(notebook))
    assert [(rule.__name__, one) for rule in rules.RULES for one in rule(chapter)] == []


# ---------------------------------------------------------------- rules for the whole book, on toys


def test_glue_roles_notice():
    chapter = Chapter("toy", toy())
    chapter.cells[5] = rules.Cell(5, "code", 'for n in "ab":\n    glue(f"toy_{n}_share", 1.0)', {})
    good = (
        "{glue:text}`/chapters/toy.ipynb::toy_slope:.1f`, {glue}`/chapters/toy.ipynb::toy_slope`, "
        "{glue:text}`/chapters/toy.ipynb::toy_a_share:.1%`"
    )
    assert (
        list(rules.glue_roles({"intro.md": good, "chapters/toy.ipynb": "{glue:text}`toy_slope:,.0f`"}, [chapter])) == []
    )
    for page, role, complaint in [
        ("intro.md", "/chapters/toy.ipynb::toy_slop:.1f", "glues no toy_slop"),
        ("intro.md", "/chapters/toy.ipynb::slope:.1f", "glues no slope"),
        ("intro.md", "/chapters/tow.ipynb::toy_slope:.1f", "there is no chapter chapters/tow.ipynb"),
        ("intro.md", "chapters/toy.ipynb::toy_slope:.1f", "starts with /"),
        ("intro.md", "toy_slope:.1f", "there is no chapter intro.md"),
        ("intro.md", "/chapters/toy.ipynb::toy_slope:.1q", "nothing formats"),
        ("intro.md", "/chapters/toy.ipynb:toy_slope:.1f", "glue"),
    ]:
        found = list(rules.glue_roles({page: f"It is {{glue:text}}`{role}`."}, [chapter]))
        assert any(complaint in one for one in found), (role, found)


def test_references_notice():
    known = {"terms": ["cross-entropy", "ReLU"], "keys": ["LeCun1998"], "labels": ["fig-toy-line"]}
    good = (
        "{term}`Cross-entropy`, {term}`rectified <ReLU>`, {cite}`LeCun1998`, {numref}`fig-toy-line`, "
        "{numref}`figure <fig-toy-line>`"
    )
    assert list(rules.references({"a.md": good}, **known)) == []
    for bad, complaint in [
        ("{term}`entropy`", "no 'entropy'"),
        ("{term}`ReLU <rectifier>`", "no 'rectifier'"),
        ("{cite}`LeCun1998,X`", "no 'X'"),
        ("{cite:t}`Y`", "no 'Y'"),
        ("{numref}`fig-toy`", "no figure 'fig-toy'"),
    ]:
        assert any(complaint in one for one in rules.references({"a.md": bad}, **known)), bad


def test_names_used_twice_are_noticed():
    found = list(rules.unique_over_book([Chapter("toy", toy()), Chapter("other", toy())]))
    assert len(found) == 4 and "fig-toy-line stands in toy and in other" in found


def test_a_table_of_contents_that_lacks_or_invents_a_chapter_is_noticed():
    toc = {
        "root": "intro",
        "parts": [{"chapters": [{"file": "chapters/a"}, {"file": "chapters/b"}, {"file": "glossary"}]}],
    }
    assert list(rules.same_as_contents(["a", "b"], toc)) == []
    assert list(rules.same_as_contents(["a", "b", "c"], toc)) == ["_toc.yml does not list chapters/c"]
    assert list(rules.same_as_contents(["a"], toc)) == ["_toc.yml lists chapters/b, which does not exist"]
    toc["parts"][0]["chapters"].append({"file": "chapters/a"})
    assert list(rules.same_as_contents(["a", "b"], toc)) == ["_toc.yml lists chapters/a twice"]


def test_terms_and_keys_are_found():
    page = (
        "# G\n\n```{glossary}\nbatch\n    Some images.\n\ncross-entropy\n    A "
        "loss.\n```\n\n:::{glossary}\nReLU\n  max.\n:::\n"
    )
    assert rules.glossary_terms(page) == ["batch", "cross-entropy", "ReLU"]
    assert rules.bibliography_keys("@article{A1998,\n title={x}}\n@misc{ b,\n}") == ["A1998", "b"]


# ---------------------------------------------------------------- the book itself


def test_there_are_chapters():
    assert len(CHAPTERS) >= 6


def test_the_table_of_contents_lists_the_chapters():
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    names = [chapter.name for chapter in CHAPTERS] + [path.stem for path in sorted((ROOT / "chapters").glob("*.md"))]
    assert list(rules.same_as_contents(names, toc)) == []


@EVERY_CHAPTER
@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.__name__)
def test_the_chapter_keeps_the_rule(chapter, rule):
    found = list(rule(chapter))
    assert not found, "\n".join([f"chapters/{chapter.name}.ipynb:", *found])


@pytest.mark.parametrize("page", [f"chapters/{chapter.name}.ipynb" for chapter in CHAPTERS] + ["the other pages"])
def test_what_pages_refer_to_exists(page):
    pages = rules.book_pages(CHAPTERS)
    pages = {
        name: text
        for name, text in pages.items()
        if name == page or (page == "the other pages" and name.endswith(".md"))
    }
    found = list(
        rules.references(
            pages,
            terms=rules.glossary_terms((ROOT / "glossary.md").read_text(encoding="utf-8")),
            keys=rules.bibliography_keys((ROOT / "references.bib").read_text(encoding="utf-8")),
            labels=[name for chapter in CHAPTERS for name in rules.figure_names(chapter)],
        )
    )
    found += rules.glue_roles(pages, CHAPTERS)
    assert not found, "\n".join(found)


def test_no_name_stands_in_two_chapters():
    assert list(rules.unique_over_book(CHAPTERS)) == []


@EVERY_CHAPTER
def test_the_code_of_the_chapter_is_tidy(chapter):
    result = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--quiet", "--output-format=concise", f"chapters/{chapter.name}.ipynb"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("fault", ["import os", "y = undefined_name", 'x = f"nothing to fill in"'])
def test_ruff_notices_an_untidy_cell(fault, tmp_path):
    notebook = toy()
    notebook["cells"] = [new_code_cell(fault)]
    nbformat.write(notebook, tmp_path / "untidy.ipynb")
    result = subprocess.run(
        [
            sys.executable,
            "-m",
            "ruff",
            "check",
            "--quiet",
            "--config",
            ROOT / "pyproject.toml",
            tmp_path / "untidy.ipynb",
        ],
        capture_output=True,
        text=True,
    )
    assert result.returncode == 1, result.stdout


# Visible lines wider than the page, where a reader has to scroll: what the first edition left. The numbers only get smaller.
WIDER_THAN_THE_PAGE = {
    "before_you_start": 7,
    "data_preprocessing": 47,
    "evaluation": 64,
    "mlp_architecture": 62,
    "svm_knn_baselines": 69,
    "training": 54,
}


@pytest.mark.parametrize("chapter", rules.book_chapters(), ids=lambda one: one.name)
def test_visible_lines_fit_the_page_or_get_fewer_that_do_not(chapter):
    wide = [
        line
        for cell in chapter.code
        if not cell.tags & {"remove-cell", "remove-input"}
        for line in cell.source.splitlines()
        if len(line) > 76
    ]
    allowed = WIDER_THAN_THE_PAGE.get(chapter.name, 0)
    assert len(wide) == allowed, (
        f"{len(wide)} lines of more than 76 characters, {allowed} are noted: shorten, or lower it"
    )

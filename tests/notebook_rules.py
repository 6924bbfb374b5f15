"""The rules for chapters, each a function that takes a Chapter (or all of them) and returns what breaks it, as
sentences.

``test_notebooks.py`` shows that each rule notices what it is for, on small notebooks made for that, and then holds the
book to it.
"""

import ast
import itertools
import json
import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
import yaml

ROOT = Path(__file__).resolve().parent.parent
LONGEST_CELL = 25
WIDEST_LINE = 110
FEWEST_CHECKS = 6
FEWEST_RUNS = 5
ONE_RUN_WIDTH = 0.1  # of the value: how wide the bounds of a value may be that is the same in every run
FEWEST_STORED = 3
FEWEST_EXERCISES = 3
SHORTEST_ALT = 30
STORED = {"keep_output", "nbval-check-output"}
TAGS = STORED | {
    "remove-input",
    "remove-output",
    "remove-cell",
    "hide-input",
    "hide-output",
    "hide-cell",
    "output_scroll",
    "full-width",
    "margin",
}
LAST_SECTIONS = ["Summary", "Exercises", "What's next", "Further reading"]


@dataclass
class Cell:
    """One cell of a notebook, with its syntax tree if it is code that parses."""

    number: int
    kind: str
    source: str
    metadata: dict
    outputs: list = field(default_factory=list)
    count: int | None = None

    def __post_init__(self):
        self.tags = set(self.metadata.get("tags", ()))
        self.tree = ast.Module([], [])
        self.fault = ""
        if self.kind == "code":
            try:
                self.tree = ast.parse(self.source)
            except SyntaxError as error:
                self.fault = str(error)

    def __str__(self):
        first = next((line for line in self.source.splitlines() if line.strip()), "")
        return f"cell {self.number} ({first[:50]!r})"

    def calls(self, name):
        """All calls of the function ``name`` in this cell."""
        return [node for node in ast.walk(self.tree) if isinstance(node, ast.Call) and called(node) == name]


class Chapter:
    """A notebook as the rules see it; ``name`` is the file's name without its ending."""

    def __init__(self, name, notebook):
        self.name = name
        self.notebook = notebook
        self.cells = [
            Cell(i, c["cell_type"], c["source"], c.get("metadata", {}), c.get("outputs", []), c.get("execution_count"))
            for i, c in enumerate(notebook["cells"])
        ]

    @classmethod
    def read(cls, path):
        """The chapter at ``path``."""
        return cls(path.stem, nbformat.read(path, as_version=4))

    @property
    def code(self):
        """The code cells that are not empty."""
        return [cell for cell in self.cells if cell.kind == "code" and cell.source.strip()]

    @property
    def markdown(self):
        """The Markdown cells."""
        return [cell for cell in self.cells if cell.kind == "markdown"]

    @property
    def text(self):
        """All Markdown, code blocks left out."""
        return "\n\n".join(without_code_blocks(cell.source) for cell in self.markdown)

    @property
    def headings(self):
        """(level, text) of each heading."""
        return [(len(marks), title.strip()) for marks, title in re.findall(r"^(#{1,6}) +(.+)$", self.text, re.M)]


def called(node):
    """The plain name that a call calls; empty for anything else."""
    return node.func.id if isinstance(node.func, ast.Name) else ""


def without_code_blocks(text):
    """Markdown without fenced code (directives, whose fence names one in braces, stay)."""
    return re.sub(r"^(`{3,})(?!\{)[^\n`]*\n.*?^\1`*\s*$", "", text, flags=re.M | re.S)


# ---------------------------------------------------------------- outputs


def stored_outputs(chapter):
    """Outputs are stored where nbval compares them, and only there; where it compares, there is one."""
    for cell in chapter.cells:
        if cell.kind != "code":
            continue
        if cell.tags & STORED and not cell.tags >= STORED:
            yield (
                f"{cell} is tagged {sorted(cell.tags & STORED)[0]} only: nbval compares and the cleaner "
                f"keeps only with both of {sorted(STORED)}"
            )
        elif cell.tags >= STORED:
            kept = [output_text(output) for output in cell.outputs]
            if not any(text.strip() for text in kept):
                yield (
                    f"{cell} is tagged to be checked, but stores no output with a text: nbval would pass "
                    "anything (make refresh-notebooks)"
                )
            if cell.count is None:
                yield f"{cell} stores an output but no execution count: nbval fails on that (make refresh-notebooks)"
            if any(output.get("output_type") == "error" for output in cell.outputs):
                yield f"{cell} stores an error"
        else:
            if cell.outputs:
                yield f"{cell} stores an output that nothing compares (make clean-notebooks)"
            if cell.count is not None:
                yield f"{cell} keeps an execution count (make clean-notebooks)"


def output_text(output):
    """The part of a stored output that nbval compares; a picture (PNG) is not."""
    if output.get("output_type") == "stream":
        return "".join(output.get("text", ""))
    data = {
        kind: "".join(value)
        for kind, value in output.get("data", {}).items()
        if not kind.startswith("image/") and isinstance(value, (str, list))
    }
    if any(kind.startswith("image/") for kind in output.get("data", {})):
        data.pop("text/plain", None)  # "<Figure size 640x380 with 1 Axes>" says nothing
    return "".join(data.values())


def enough_stored(chapter):
    """A chapter has a few outputs that are compared."""
    stored = sum(cell.tags >= STORED for cell in chapter.cells)
    if stored < FEWEST_STORED:
        yield f"{stored} cells have a compared output; there should be at least {FEWEST_STORED}"


def no_way_out(chapter):
    """No cell is kept from running or from being compared, and no tag is misspelt."""
    for cell in chapter.cells:
        for tag in sorted(cell.tags - TAGS):
            yield f"{cell} has the tag {tag}, which this book does not use"
        if cell.kind == "code":
            for word in re.findall(r"#\s*(NBVAL_[A-Z_]+|PYTEST_VALIDATE\w+)", cell.source):
                yield f"{cell} holds the marker {word}"
            if re.search(r"^\s*[!%]", cell.source, re.M) and cell.fault:
                yield f"{cell} holds a shell command or a magic: the book is plain Python"
            elif cell.fault:
                yield f"{cell} is not Python: {cell.fault}"
            for node in ast.walk(cell.tree):
                if isinstance(node, ast.ExceptHandler) and (
                    node.type is None
                    or "AssertionError" in ast.unparse(node.type)
                    or ast.unparse(node.type) in ("Exception", "BaseException")
                ):
                    yield f"{cell} swallows failures: except {ast.unparse(node.type) if node.type else ''}"
    if chapter.notebook.get("metadata", {}).get("kernelspec", {}).get("name") != "python3":
        yield "the kernelspec is not python3"


def clean(chapter):
    """The file is what the cleaner makes of it."""
    from tools.upkeep.clean_notebooks import cleaned

    if json.loads(nbformat.writes(cleaned(chapter.notebook))) != json.loads(nbformat.writes(chapter.notebook)):
        yield "is not clean: run make clean-notebooks"


# ---------------------------------------------------------------- bones


def bones(chapter):
    """Title, aims, one cell of imports, and the four last sections."""
    first = chapter.cells[0] if chapter.cells else None
    if first is None or first.kind != "markdown" or not first.source.startswith("# "):
        yield "the first cell does not start with the title (# ...)"
    titles = [title for level, title in chapter.headings if level == 1]
    if len(titles) != 1:
        yield f"there are {len(titles)} headings of the first level, not one"
    for (above, _), (level, title) in itertools.pairwise(chapter.headings):
        if level > above + 1:
            yield f"the heading {title!r} skips a level"
    before_code = ""
    for cell in chapter.cells:
        if cell.kind == "code":
            break
        before_code += cell.source + "\n"
    if "By the end you can" not in before_code:
        yield "'By the end you can' does not stand before the first code cell"
    if not re.search(r"\b(seconds?|minutes?)\b", before_code):
        yield "how long the chapter takes to run does not stand before the first code cell"
    sections = [title.replace("’", "'") for level, title in chapter.headings if level == 2]
    if sections[-len(LAST_SECTIONS) :] != LAST_SECTIONS:
        yield f"the last sections are {sections[-len(LAST_SECTIONS) :]}, not {LAST_SECTIONS}"
    elif "{cite" not in re.split(r"^## Further reading\s*$", chapter.text.replace("’", "'"), flags=re.M)[-1]:
        yield "Further reading cites nothing"


def imports(chapter):
    """Imports stand in one cell, the first; cells that a page does not show may have their own."""
    visible = [cell for cell in chapter.code if not cell.tags & {"remove-cell", "remove-input"}]
    if not visible or not imports_of(visible[0]):
        yield "the first visible code cell imports nothing"
    for cell in visible[1:]:
        if imports_of(cell):
            yield f"{cell} imports: all imports stand in the first cell"


def is_setup_cell(cell):
    """Is this the cell that brings the helpers to Google Colab (tools/copies/setup_cell.py)?"""
    from tools.copies import setup_cell

    return setup_cell.is_setup_cell({"cell_type": cell.kind, "source": cell.source})


def setup(chapter):
    """The first code cell is the one for Google Colab, as its tool writes it, and stands once."""
    from tools.copies.setup_cell import METADATA, setup_code

    first = chapter.code[0] if chapter.code else None
    if first is None or first.source != setup_code() or first.metadata != METADATA:
        yield "the first code cell is not the one for Google Colab: run make address"
    if sum(map(is_setup_cell, chapter.cells)) > 1:
        yield "the cell for Google Colab stands twice: run make address"


def imports_of(cell):
    """The import statements on a cell's outer level."""
    return [node for node in cell.tree.body if isinstance(node, (ast.Import, ast.ImportFrom))]


def cell_size(chapter):
    """A cell holds one idea, and its lines fit on a page."""
    for cell in chapter.code:
        lines = len(cell.source.strip().splitlines())
        if lines > LONGEST_CELL and "remove-cell" not in cell.tags:
            yield f"{cell} has {lines} lines, more than {LONGEST_CELL}"
        widest = max(map(len, cell.source.splitlines()))
        if widest > WIDEST_LINE and not cell.tags & {"remove-cell", "remove-input"}:
            yield f"{cell} has a line of {widest} characters, more than {WIDEST_LINE}"


def nothing_private(chapter):
    """No path of somebody's machine, no number of an internal list."""
    for cell in chapter.cells:
        for found in re.findall(r"/(?:tmp|root|home|Users)/\S*|\blocalhost\b|\bC\d\d\b", cell.source):
            yield f"{cell} mentions {found}"


# ---------------------------------------------------------------- exercises


def exercises(chapter):
    """Every exercise has a folded solution, every solution an exercise; what starts ends."""
    posed, solved, opened = [], [], None
    for cell in chapter.markdown:
        lines = cell.source.splitlines()
        for i, line in enumerate(lines):
            found = re.match(r"[`:]{3,}\{(exercise|solution)(-start|-end)?\}\s*(\S*)", line)
            if not found:
                continue
            what, edge, argument = found.groups()
            options = dict(re.findall(r"^:([\w-]+):\s*(.*)$", "\n".join(lines[i + 1 : i + 5]), re.M))
            if edge == "-end":
                if opened != what:
                    yield f"{cell}: {what}-end without {what}-start"
                opened = None
                continue
            if edge == "-start":
                if opened:
                    yield f"{cell}: {what}-start inside of {opened}-start"
                opened = what
            if what == "exercise":
                posed.append(options.get("label", ""))
                if not options.get("label", "").startswith("ex-"):
                    yield f"{cell}: an exercise without a label that starts with ex-"
            else:
                solved.append(argument)
                if "dropdown" not in options.get("class", ""):
                    yield f"{cell}: the solution of {argument} is not folded (:class: dropdown)"
    if opened:
        yield f"{opened}-start without {opened}-end"
    for label in sorted({x for x in posed if posed.count(x) > 1} | {x for x in solved if solved.count(x) > 1}):
        yield f"{label} stands twice"
    for label in posed:
        if label not in solved:
            yield f"exercise {label} has no solution"
    for label in solved:
        if label not in posed:
            yield f"the solution of {label} has no exercise"
    if len(posed) < FEWEST_EXERCISES:
        yield f"{len(posed)} exercises, fewer than {FEWEST_EXERCISES}"


def self_checks(chapter):
    """What checks an exercise, and so knows the answer, stands in a cell whose code the page does not show."""
    for cell in chapter.code:
        if not cell.calls("try_it") or "remove-cell" in cell.tags:
            continue
        if "remove-input" not in cell.tags or cell.metadata.get("jupyter", {}).get("source_hidden") is not True:
            yield f"{cell} checks an exercise in sight: give it a cell of its own (remove-input, jupyter.source_hidden)"
        if any(isinstance(node, ast.Constant) and node.value is ... for node in assigned(cell)):
            yield f"{cell} checks an exercise and is to be filled in: the reader would not see where"


def assigned(cell):
    """What a cell's outer statements assign, and what its functions return."""
    for node in ast.walk(cell.tree):
        if isinstance(node, (ast.Assign, ast.Return)) and node.value is not None:
            yield node.value


# ---------------------------------------------------------------- figures

DRAWING = {
    "imshow",
    "plot",
    "bar",
    "barh",
    "hist",
    "scatter",
    "pcolormesh",
    "contour",
    "contourf",
    "matshow",
    "errorbar",
    "boxplot",
    "violinplot",
    "fill_between",
    "stackplot",
    "stem",
    "quiver",
    "heatmap",
    "subplots",
    "semilogy",
    "semilogx",
    "loglog",
    "axline",
    "axhline",
    "axvline",
}
NOT_DRAWING = {
    "plt.close",
    "plt.rcParams",
    "plt.get_cmap",
    "plt.Normalize",
    "plt.cycler",
    "sns.set_theme",
    "sns.color_palette",
    "sns.set_style",
}


def figures(chapter):
    """Every cell that draws says what its picture shows, has a caption and a name, and the text refers to it."""
    text = "\n".join(cell.source for cell in chapter.cells)
    for cell in figure_cells(chapter):
        about = cell.metadata.get("mystnb", {})
        alt = str(about.get("image", {}).get("alt") or "")
        caption = str(about.get("figure", {}).get("caption") or "")
        name = str(about.get("figure", {}).get("name") or "")
        if len(alt.strip()) < SHORTEST_ALT:
            yield (
                f"{cell} draws, but its alternative text (mystnb.image.alt) has {len(alt.strip())} "
                f"characters, fewer than {SHORTEST_ALT}"
            )
        if not caption.strip():
            yield f"{cell} draws without a caption (mystnb.figure.caption)"
        elif caption.strip() == alt.strip():
            yield f"{cell}: the alternative text repeats the caption instead of saying what the picture shows"
        if not re.fullmatch(r"fig-[a-z0-9_-]+", name):
            yield f"{cell} draws, but its name (mystnb.figure.name) is {name!r}, not fig-..."
        elif not re.search(rf"\{{numref\}}`[^`]*\b{re.escape(name)}(?![\w-])", text):
            yield f"{cell}: the text never refers to {{numref}}`{name}`"
    for cell in chapter.markdown:
        for alt in re.findall(r"!\[([^\]]*)\]\(", without_code_blocks(cell.source)):
            if len(alt.strip()) < SHORTEST_ALT:
                yield f"{cell} shows an image with {alt!r} as its alternative text"
        for block in re.findall(r"^[`:]{3,}\{(?:figure|image)\}.*?^[`:]{3,}\s*$", cell.source, re.M | re.S):
            alt = re.search(r"^:alt:\s*(.*)$", block, re.M)
            if not alt or len(alt[1].strip()) < SHORTEST_ALT:
                yield f"{cell} has an image directive without :alt: of {SHORTEST_ALT} characters"


def figure_names(chapter):
    """The names of a chapter's figures."""
    return [name for cell in chapter.cells if (name := cell.metadata.get("mystnb", {}).get("figure", {}).get("name"))]


def figure_cells(chapter):
    """The cells that hold a figure: said so in their metadata, or drawing by the look of their calls."""
    drawing = {"show_digits", "plot_spread"}
    for cell in chapter.code:
        for node in imports_of(cell):
            if isinstance(node, ast.ImportFrom) and node.module == "helpers.plots":
                drawing |= {
                    alias.asname or alias.name
                    for alias in node.names
                    if alias.name.islower() and alias.name != "book_style"
                }
        for node in cell.tree.body:
            if isinstance(node, ast.FunctionDef) and draws(node.body, drawing):
                drawing.add(node.name)
    for cell in chapter.code:
        shown = [node for node in cell.tree.body if not isinstance(node, (ast.FunctionDef, ast.ClassDef))]
        if "figure" in cell.metadata.get("mystnb", {}) or (draws(shown, drawing) and "remove-cell" not in cell.tags):
            yield cell


def draws(nodes, drawing):
    """Do these statements draw? Functions defined in them do not run here."""
    pending = list(nodes)
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            if name in NOT_DRAWING or name.startswith("plt.rcParams"):
                continue
            if name.split(".")[0] in ("plt", "sns") or name in drawing:
                return True
            if isinstance(node.func, ast.Attribute) and node.func.attr in DRAWING:
                return True
        pending += [
            child for child in ast.iter_child_nodes(node) if not isinstance(child, (ast.FunctionDef, ast.Lambda))
        ]
    return False


# ---------------------------------------------------------------- sentences and checks


def sentences(chapter):
    """A sentence that a cell says shows only its output, on the page and in JupyterLab."""
    for cell in chapter.code:
        if "say" not in {called(node) for node in outer_calls(cell.tree)} or "remove-cell" in cell.tags:
            continue
        if "remove-input" not in cell.tags:
            yield f"{cell} says a sentence, but is not tagged remove-input"
        if cell.metadata.get("jupyter", {}).get("source_hidden") is not True:
            yield f"{cell} says a sentence, but lacks jupyter.source_hidden"


def outer_calls(tree):
    """Calls that run when the cell runs: not those inside a function it defines."""
    pending = list(tree.body)
    while pending:
        node = pending.pop()
        if isinstance(node, (ast.FunctionDef, ast.Lambda)):
            continue
        if isinstance(node, ast.Call):
            yield node
        pending += ast.iter_child_nodes(node)


def checks(chapter):
    """Checks and claims are hidden and many enough; bounds written by hand come from repeated runs and can fail."""
    number, names = 0, []
    for cell in chapter.code:
        asserts = [node for node in ast.walk(cell.tree) if isinstance(node, ast.Assert)]
        claims, calls = cell.calls("claim"), cell.calls("check")
        only_asserts = asserts and all(
            isinstance(node, (ast.Assert, ast.Import, ast.ImportFrom)) for node in cell.tree.body
        )
        if (calls or claims or only_asserts) and "remove-cell" not in cell.tags:
            yield f"{cell} checks, but is not tagged remove-cell"
        if "remove-cell" in cell.tags:
            number += len(calls) + len(claims) + len(asserts)
            if not calls and not claims and not asserts and not cell.calls("glue") and not is_setup_cell(cell):
                yield f"{cell} is hidden (remove-cell), but neither checks nor glues: a reader misses what it does"
        for node in asserts:
            if cannot_fail(node.test):
                yield f"{cell}: assert {ast.unparse(node.test)} cannot fail"
        for call in claims:
            if len(call.args) != 2 or cannot_fail(call.args[1]):
                yield f"{cell}: {ast.unparse(call)} cannot fail: it needs a condition"
        for call in calls:
            names += [call.args[0].value] if call.args and isinstance(call.args[0], ast.Constant) else []
            yield from (f"{cell}: {fault}" for fault in check_faults(call))
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"two checks are called {name!r}"
    if number < FEWEST_CHECKS:
        yield f"{number} checks in hidden cells, fewer than {FEWEST_CHECKS}"


def cannot_fail(condition):
    """Whether a condition is a constant or a tuple that is not empty, which Python takes for true."""
    return isinstance(condition, ast.Constant) or (isinstance(condition, ast.Tuple) and bool(condition.elts))


def check_faults(call):
    """What is wrong with one call of check(): nothing where it has no bounds, for then its band holds it."""
    options = {keyword.arg: keyword.value for keyword in call.keywords}
    if not options:
        return
    about = ast.unparse(call.args[0]) if call.args else "a check"
    runs = literal(options.get("runs"))
    if not isinstance(runs, int) or runs < FEWEST_RUNS and runs != 1:
        yield f"the bounds of {about} come from {runs} runs, fewer than {FEWEST_RUNS} (a number must stand there)"
    for edition in ("full", "sample"):
        bounds = literal(options.get(edition))
        if bounds is None and edition == "sample" and edition not in options:
            continue
        if not (
            isinstance(bounds, tuple) and len(bounds) == 2 and all(isinstance(one, (int, float)) for one in bounds)
        ):
            yield f"the {edition} bounds of {about} are not two numbers"
        elif not bounds[0] < bounds[1]:
            yield f"the {edition} bounds of {about} leave no room: {bounds}"
        elif runs == 1 and bounds[1] - bounds[0] > ONE_RUN_WIDTH * max(map(abs, bounds)):
            yield (
                f"the {edition} bounds of {about} come from 1 run, which is enough for a value "
                "without chance in it only, "
                f"and are too wide for that: {bounds}"
            )
        elif bounds in ((0, 1), (0, 100)) or max(map(abs, bounds)) >= 1e30:
            yield f"the {edition} bounds of {about} cannot fail: {bounds}"


def literal(node):
    """The value of a literal expression, arithmetic of numbers included; None for anything else."""
    if node is None:
        return None
    try:
        return ast.literal_eval(node)
    except ValueError:
        pass
    allowed = (ast.BinOp, ast.UnaryOp, ast.operator, ast.unaryop, ast.Constant, ast.Tuple, ast.Load)
    if all(isinstance(one, allowed) for one in ast.walk(node)):
        return eval(compile(ast.Expression(node), "bounds", "eval"), {"__builtins__": {}})  # numbers and operators only
    return None


# ---------------------------------------------------------------- what pages quote of each other


def glued(chapter):
    """(cell, pattern) of each name that a chapter glues; a name put together in an f-string has holes."""
    for cell in chapter.code:
        for call in cell.calls("glue"):
            name = call.args[0] if call.args else next((k.value for k in call.keywords if k.arg == "name"), None)
            if isinstance(name, ast.Constant):
                yield cell, re.escape(str(name.value))
            elif isinstance(name, ast.JoinedStr):
                yield (
                    cell,
                    "".join(
                        re.escape(part.value) if isinstance(part, ast.Constant) else r"\w+" for part in name.values
                    ),
                )
            else:
                yield cell, ""


def glue_names(chapter):
    """Glued names can be read off the code, start with the chapter's name, and stand once."""
    seen = []
    for cell, pattern in glued(chapter):
        if not pattern:
            yield f"{cell} glues under a name that cannot be read off the code"
        elif not pattern.startswith(re.escape(f"{chapter.name}_")):
            yield f"{cell} glues {pattern}, which does not start with {chapter.name}_"
        if pattern and pattern in seen:
            yield f"{pattern} is glued twice"
        seen.append(pattern)


def glue_roles(pages, chapters):
    """Every glue role in the book names something that is glued, in a format that formats.

    ``pages`` are {page's path relative to the root: its Markdown}.
    """
    known = {
        f"chapters/{chapter.name}.ipynb": [pattern for _, pattern in glued(chapter) if pattern] for chapter in chapters
    }
    for page, text in pages.items():
        text = without_code_blocks(text)
        for kind, content in re.findall(r"\{glue(:\w+)?\}`([^`]*)`", text):
            if kind == ":text" and (found := re.fullmatch(r"(?:(.+?)::)?([\w-]+)(?::(.*))?", content)):
                where, name, layout = found.groups()
            elif found := re.fullmatch(r"(?:(.+?)::)?([\w-]+)", content):
                where, name, layout = *found.groups(), ""
            else:
                yield f"{page}: {{glue{kind}}}`{content}` is not of the form page::name:format"
                continue
            if where and not where.startswith("/"):
                yield f"{page}: {content}: a path in a glue role starts with / (a relative one fails in chapters/)"
                continue
            target = where[1:] if where else page
            if target not in known:
                yield f"{page}: {content}: there is no chapter {target}"
            elif not any(re.fullmatch(pattern, name) for pattern in known[target]):
                yield f"{page}: {content}: {target} glues no {name}"
            if layout and not any(formats(value, layout) for value in (0.5, 2, "text")):
                yield f"{page}: {content}: nothing formats as {layout!r}"


def formats(value, layout):
    """Does the format specification fit the value?"""
    try:
        format(value, layout)
    except ValueError:
        return False
    return True


def references(pages, terms, keys, labels):
    """Every term, citation and figure that a page refers to exists."""
    known = {term.casefold() for term in terms}
    for page, text in pages.items():
        text = without_code_blocks(text)
        for content in re.findall(r"\{term\}`([^`]*)`", text):
            target = re.sub(r"\s+", " ", (re.search(r"<([^>]*)>\s*$", content) or [None, content])[1]).strip()
            if target.casefold() not in known:
                yield f"{page}: the glossary has no {target!r}"
        for content in re.findall(r"\{cite(?::\w+)?\}`([^`]*)`", text):
            for key in content.split(","):
                if key.strip() not in keys:
                    yield f"{page}: references.bib has no {key.strip()!r}"
        for content in re.findall(r"\{numref\}`([^`]*)`", text):
            target = (re.search(r"<([^>]*)>\s*$", content) or [None, content])[1].strip()
            if target.startswith("fig-") and target not in labels:
                yield f"{page}: there is no figure {target!r}"


def unique_over_book(chapters):
    """Figures and exercises have names that no other chapter uses."""
    seen = {}
    for chapter in chapters:
        labels = figure_names(chapter) + re.findall(
            r"^:label:\s*(ex-\S+)", "\n".join(c.source for c in chapter.markdown), re.M
        )
        for label in labels:
            if label in seen:
                yield f"{label} stands in {seen[label]} and in {chapter.name}"
            seen[label] = chapter.name


def same_as_contents(names, toc):
    """The chapters there are and those that _toc.yml (its parsed content) lists are the same; each page once."""
    listed = [entry["file"] for part in toc.get("parts", [toc]) for entry in part.get("chapters", [])]
    for page in sorted({page for page in listed if listed.count(page) > 1}):
        yield f"_toc.yml lists {page} twice"
    chapters = {
        page.removeprefix("chapters/").removesuffix(".ipynb") for page in listed if page.startswith("chapters/")
    }
    for name in sorted(set(names) - chapters):
        yield f"_toc.yml does not list chapters/{name}"
    for name in sorted(chapters - set(names)):
        yield f"_toc.yml lists chapters/{name}, which does not exist"


# ---------------------------------------------------------------- the book's own pages and lists


def book_chapters():
    """The book's chapters, in the order of their names."""
    return [Chapter.read(path) for path in sorted((ROOT / "chapters").glob("*.ipynb"))]


def book_pages(chapters):
    """{path relative to the root: Markdown} of every page of the book; what a cell says counts as text too."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    listed = [toc["root"]] + [entry["file"] for part in toc.get("parts", [toc]) for entry in part.get("chapters", [])]
    pages = {
        f"{name}.md": (ROOT / f"{name}.md").read_text(encoding="utf-8")
        for name in listed
        if (ROOT / f"{name}.md").is_file()
    }
    for chapter in chapters:
        said = [ast.unparse(call) for cell in chapter.code for call in cell.calls("say")]
        captions = [str(cell.metadata.get("mystnb", {}).get("figure", {}).get("caption", "")) for cell in chapter.code]
        pages[f"chapters/{chapter.name}.ipynb"] = "\n\n".join([chapter.text, *said, *captions])
    return pages


def glossary_terms(text):
    """The terms that a page's glossary directives define."""
    terms = []
    for _, block in re.findall(r"^([`:]{3,})\{glossary\}\s*\n(.*?)^\1\s*$", text, re.M | re.S):
        lines = [line for line in block.splitlines() if line.strip() and not line.startswith(":")]
        terms += [line.split(" : ")[0].strip() for line in lines if not line[0].isspace()]
    return terms


def bibliography_keys(text):
    """The keys of a BibTeX file."""
    return re.findall(r"^@\w+\s*\{\s*([^,\s]+)\s*,", text, re.M)


def list_of_allowed(path):
    """The entries of a TOML list."""
    return tomllib.loads(path.read_text(encoding="utf-8")).get("allowed", [])


RULES = [
    stored_outputs,
    enough_stored,
    no_way_out,
    clean,
    bones,
    setup,
    imports,
    cell_size,
    nothing_private,
    exercises,
    self_checks,
    figures,
    sentences,
    checks,
    glue_names,
]

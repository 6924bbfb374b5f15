"""A chapter's copy for Jupyter and Google Colab: a notebook of plain Markdown, without the book's own checks, solutions folded."""

import ast
import re

import nbformat

from tools.copies.markdown import CUT, Converter, PortableError
from tools.copies.setup_cell import is_setup_cell

# A role in a string of code; in an f-string its braces are doubled.
CODE_ROLE = re.compile(r"\{{1,2}(?P<role>(?:numref|eq|term|doc|ref|cite(?::\w+)?))\}{1,2}`(?P<content>[^`]+)`")


def portable(notebook, facts, doc):
    """Return the copy of a chapter (nbformat nodes): plain Markdown, no checks of the book's own, solutions folded."""
    converter, cells = Converter(facts, doc), []
    needed = needed_of_checks(notebook["cells"])
    for number, cell in enumerate(notebook["cells"]):
        try:
            cells += portable_cell(cell, converter, needed.get(number, ""))
        except PortableError as error:
            raise PortableError(f"{doc}, cell {number}: {error}") from None
    first = next((i for i, cell in enumerate(cells) if cell.cell_type == "code"), len(cells))
    cells.insert(first, nbformat.v4.new_markdown_cell(about(facts, doc)))
    if converter.cited:
        cells.append(nbformat.v4.new_markdown_cell(references(converter.cited, facts)))
    fold_solutions(cells)
    made = nbformat.v4.new_notebook(
        cells=cells,
        metadata={
            "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
            "title": facts.titles.get(doc, ""),
        },
    )
    folded = []
    for number, cell in enumerate(made.cells):
        cell["id"] = f"cell-{number:03d}"
        if cell.metadata.get("jp-MarkdownHeadingCollapsed"):  # JupyterLab's way; what follows is Colab's
            cell.metadata["id"] = cell["id"]
            folded.append(cell["id"])
    if folded:
        made.metadata["colab"] = {"collapsed_sections": folded}
    return made


def is_check(cell):
    """Whether a cell is one of the book's own checks, which no page and no copy shows."""
    return cell["cell_type"] == "code" and "remove-cell" in cell["metadata"].get("tags", []) and not is_setup_cell(cell)


def needed_of_checks(cells):
    """Return {number of a check: its statements that bind what later cells use}, for the checks that have some.

    Goes through the statements of the chapter from the last to the first and keeps, of a check, what binds a name that is
    still wanted; asserts and calls alone are never kept.
    """
    wanted, needed = set(), {}
    for number in reversed(range(len(cells))):
        if cells[number]["cell_type"] != "code":
            continue
        lines = "".join(cells[number]["source"]).split("\n")
        code = "\n".join("" if line.lstrip().startswith(("%", "!")) else line for line in lines)  # IPython's magics
        kept = []
        for statement in reversed(ast.parse(code).body):
            bound, loaded = names_of(statement)
            if is_check(cells[number]):
                if isinstance(statement, ast.Assert | ast.Expr) or not bound & wanted:
                    continue
                kept.insert(0, ast.get_source_segment(code, statement))
            wanted = (wanted - bound) | loaded
        if kept:
            needed[number] = "\n".join(kept)
    return needed


def names_of(statement):
    """Return the names that a statement binds, and those that it reads."""
    bound, loaded, own = set(), set(), set()  # own: what stands for the items of a comprehension
    for node in ast.walk(statement):
        match node:
            case ast.Name(ctx=ast.Load()):
                loaded.add(node.id)
            case ast.Name():
                bound.add(node.id)
            case ast.FunctionDef() | ast.ClassDef():
                bound.add(node.name)
            case ast.alias():
                bound.add((node.asname or node.name).split(".")[0])
            case ast.comprehension():
                own |= {name.id for name in ast.walk(node.target) if isinstance(name, ast.Name)}
    return bound - own, loaded


def portable_cell(cell, converter, needed=""):
    """The cells that a chapter's cell becomes: several where exercises and solutions begin; of a check what is ``needed``."""
    source = "".join(cell["source"])
    if cell["cell_type"] == "markdown":
        parts = [part.strip("\n") for part in converter.markdown(source).split(CUT)]
        return [nbformat.v4.new_markdown_cell(part) for part in parts if part.strip()]
    tags = cell["metadata"].get("tags", [])
    if is_check(cell):
        if not needed:
            return []
        source = needed
    metadata = {}
    if {"remove-input", "hide-input", "remove-cell"} & set(tags):
        metadata = {"jupyter": {"source_hidden": True}, "cellView": "form"}  # JupyterLab; Colab
    cells = [
        nbformat.v4.new_code_cell(CODE_ROLE.sub(lambda found: code_words(found, converter), source), metadata=metadata)
    ]
    figure = cell["metadata"].get("mystnb", {}).get("figure", {})
    if figure.get("caption"):
        number = converter.facts.find("figures", figure.get("name"), "figure")
        cells.append(nbformat.v4.new_markdown_cell(f"**Fig. {number}.** {converter.markdown(figure['caption'])}"))
    return cells


def code_words(found, converter):
    """Words for a role in a string of a code cell."""
    words = converter.role(found["role"], found["content"])
    if set(words) & set("\"'{}\\\n"):
        raise PortableError(f"{found[0]} in a code cell becomes {words!r}, which would break its string: reword it")
    return words


def fold_solutions(cells):
    """Fold each solution whose end shows: a heading of its level or above follows it, so nothing else is folded."""
    level = [heading_level(cell) for cell in cells]
    for i, cell in enumerate(cells):
        if not (cell.cell_type == "markdown" and cell.source.startswith("#### Solution to exercise")):
            continue
        after = next((one for one in level[i + 1 :] if one), None)
        if after is not None and after <= 4:
            cell.metadata["jp-MarkdownHeadingCollapsed"] = True


def heading_level(cell):
    """The level of the heading that a cell begins with; 0 if it begins with none."""
    found = re.match(r"(#{1,6}) ", cell.source) if cell.cell_type == "markdown" else None
    return len(found[1]) if found else 0


def about(facts, doc):
    """What stands before the first code cell of a copy."""
    page = facts.link("a chapter", doc)
    return (
        f"*This notebook is a copy of {page} of the book* {facts.book}. *The next cell fetches the book's helpers where they are "
        "missing: in Google Colab, or from the book's wheel* (`digits_book-….whl`) *if it lies beside this notebook.*"
    )


def references(keys, facts):
    """The list of what a copy cites, as the book's own list has it."""
    from pybtex.backends.markdown import Backend

    from tools.press.bibliography_labels import AuthorYearList

    style = AuthorYearList()
    entries = style.sort([facts.entries[key] for key in keys])
    told = [" ".join(one.text.render(Backend()).split()) for one in style.format_entries(entries)]
    # pybtex escapes every sign of punctuation; only these mean something in the middle of a Markdown line
    plain = [re.sub(r"\\([^*_`\[\]\\<])", r"\1", text) for text in told]
    return "## References\n\n" + "\n".join(f"- {text}" for text in plain)

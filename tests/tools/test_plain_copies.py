"""Plain Markdown for Jupyter and Colab: every role and directive that the book uses, and what happens with others."""

import re

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from notebook_rules import ROOT
from pybtex.database import parse_string

from tools.copies.markdown import CUT, Converter, Facts, PortableError
from tools.copies.notebook import portable

BIBLIOGRAPHY = """
@article{LeCun1998, author={LeCun, Yann and Bottou, Léon and Bengio, Yoshua}, title={Gradients}, journal={J}, volume={1},
  pages={1--2}, year={1998}}
@book{Good2016, author={Good, Ian and Fellow, Ann}, title={Deep}, publisher={P}, year={2016}}
"""
SITE = "https://someone.example/digits/"


def facts(**changes):
    """Facts of a small book."""
    about = {
        "figures": {"fig-line": "7"},
        "equations": {"eq-loss": "3"},
        "exercises": {"ex-one": "12"},
        "titles": {"intro": "Front", "chapters/toy": "A toy", "chapters/other": "Other things", "glossary": "Glossary"},
        "terms": {"relu": ("glossary", "term-ReLU")},
        "labels": {"place": ("intro", "place", "A place")},
        "quoted": {"chapters/other": {"other_share": 0.974}},
        "entries": dict(parse_string(BIBLIOGRAPHY, "bibtex").entries),
        "root": ROOT,
    }
    return Facts(**(about | changes))


def plain(text, **changes):
    """What becomes of Markdown in chapters/toy."""
    return Converter(facts(**changes), "chapters/toy").markdown(text)


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ("See {numref}`fig-line`.", "See Fig. 7."),
        ("See {numref}`figure %s <fig-line>`.", "See figure 7."),
        ("By {eq}`eq-loss`, so.", "By (3), so."),
        ("A {term}`ReLU`, a {term}`rectifier <ReLU>`", "A ReLU, a rectifier"),
        ("{doc}`other`, {doc}`../intro`, {doc}`this <other>`", "*Other things*, *Front*, *this*"),
        ("{ref}`place`, {ref}`there <place>`", "A place, there"),
        ("{cite}`LeCun1998,Good2016`", "(LeCun et al., 1998; Good and Fellow, 2016)"),
        ("{cite:t}`Good2016` say", "Good and Fellow (2016) say"),
        ("It is {glue:text}`/chapters/other.ipynb::other_share:.1%`", "It is 97.4%"),
        ("[there](other.ipynb), [out](https://example.org/x)", "there, [out](https://example.org/x)"),
        (
            "A role broken\nover {cite:t}`Good2016`\nlines, {term}`ReLU\n<ReLU>`",
            "A role broken\nover Good and Fellow (2016)\nlines, ReLU",
        ),
        ("Write `{term}` or ``{cite}`x` `` so.", "Write `{term}` or ``{cite}`x` `` so."),
        ("| a |\n|---|\n| {term}`ReLU` |", "| a |\n|---|\n| ReLU |"),
        ("- one {term}`ReLU`\n  - two {eq}`eq-loss`", "- one ReLU\n  - two (3)"),
        ("> quoted {term}`ReLU`", "> quoted ReLU"),
        ("(a-label)=\n## Title", "## Title"),
        ("% a comment\n\nText", "Text"),
        ("$$\nx = 1\n$$ (eq-loss)", "$$\nx = 1\n\\tag{3}\n$$"),
        ("$$\nx_{term}`1`\n$$", "$$\nx_{term}`1`\n$$"),
        ("```python\nx = '{term}`ReLU`'\n```", "```python\nx = '{term}`ReLU`'\n```"),
        ("```{note}\nMind {term}`ReLU`.\n```", "> **Note**\n>\n> Mind ReLU."),
        (
            ":::{admonition} The {term}`ReLU` rule\n:class: tip\nMind.\n\nWell.\n:::",
            "> **The ReLU rule**\n>\n> Mind.\n>\n> Well.",
        ),
        (
            "```{admonition} More\n:class: dropdown\nMind.\n```",
            "<details>\n<summary>More</summary>\n\nMind.\n\n</details>",
        ),
        ("````{tip}\n```{math}\n:label: eq-loss\nx\n```\n````", "> **Tip**\n>\n> $$\n> x\n> \\tag{3}\n> $$"),
    ],
)
def test_markup_becomes_plain(source, wanted):
    assert plain(source) == wanted


def test_with_an_address_words_become_links():
    text = plain("{term}`ReLU`, {doc}`other`, [there](other.ipynb#part), {ref}`place`", site=SITE)
    assert text == (
        f"[ReLU]({SITE}glossary.html#term-ReLU), [Other things]({SITE}chapters/other.html), "
        f"[there]({SITE}chapters/other.html#part), [A place]({SITE}intro.html#place)"
    )


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("{numref}`fig-none`", "no figure 'fig-none'"),
        ("{eq}`eq-none`", "no equation 'eq-none'"),
        ("{term}`none`", "no term 'none'"),
        ("{cite}`None2000`", "no citation key 'None2000'"),
        ("{glue:text}`/chapters/other.ipynb::none:.1f`", "nothing is glued under 'none'"),
        ("{unheard}`of`", "the role {unheard}"),
        ("```{unheard} of\n```", "the directive {unheard}"),
        ("```{figure} none.png\n```", "none.png does not exist"),
    ],
)
def test_what_cannot_be_told_is_an_error(source, complaint):
    with pytest.raises(PortableError, match=re.escape(complaint)):
        plain(source)


def test_a_picture_travels_inside_the_copy():
    text = plain("```{figure} /_static/page.png\n:alt: The first page\n:name: fig-line\nThe page, {term}`ReLU`.\n```")
    assert text.startswith("![The first page](data:image/png;base64,") and text.endswith("**Fig. 7.** The page, ReLU.")


def test_exercises_get_headings_and_cells_of_their_own():
    text = plain("Before.\n\n```{exercise-start} Ink\n:label: ex-one\n```\nDo it.\n\n```{exercise-end}\n```\n\nAfter.")
    parts = [part.split() for part in text.split(CUT)]
    assert parts == [["Before."], ["###", "Exercise", "12:", "Ink", "Do", "it."], ["After."]]


def toy(*middle):
    """A chapter with an exercise, a folded solution that holds code, a figure and a check."""
    figure = {"mystnb": {"figure": {"caption": "A {term}`ReLU`.", "name": "fig-line"}, "image": {"alt": "A line"}}}
    return new_notebook(
        cells=[
            new_markdown_cell("# A toy\n\n{cite}`LeCun1998`"),
            new_code_cell("x = 1"),
            new_code_cell("plot(x)", metadata=figure),
            new_code_cell('say(f"See {{numref}}`fig-line`, {x}")', metadata={"tags": ["remove-input"]}),
            new_code_cell('check("x", 1, full=(0, 2), runs=5)', metadata={"tags": ["remove-cell"]}),
            new_markdown_cell("```{exercise}\n:label: ex-one\nDo it.\n```"),
            new_markdown_cell("```{solution-start} ex-one\n:class: dropdown\n```\nSo."),
            new_code_cell("answer = 1"),
            new_markdown_cell("```{solution-end}\n```"),
            *middle,
            new_markdown_cell("## Next"),
        ]
    )


def test_a_copy_is_a_valid_notebook_of_plain_cells():
    copy = portable(toy(), facts(), "chapters/toy")
    nbformat.validate(copy)
    sources = [cell.source for cell in copy.cells]
    assert sources[2] == "x = 1" and "copy" in sources[1]
    assert "**Fig. 7.** A ReLU." in sources and 'say(f"See Fig. 7, {x}")' in sources
    assert not [source for source in sources if "check(" in source]
    assert sources[-1].startswith("## References\n\n- Yann LeCun") and "Gradients" in sources[-1]
    assert all(not cell.metadata.get("tags") and "mystnb" not in cell.metadata for cell in copy.cells)


def test_of_a_check_only_what_later_cells_use_is_kept():
    check = 'half = 0.5\nspread = half * x\nunused = spread\nassert spread < 1\ncheck("spread", spread, full=(0, 1), runs=5)'
    middle = new_code_cell(check, metadata={"tags": ["remove-cell"]}), new_code_cell("print(spread)")
    copy = portable(toy(*middle), facts(), "chapters/toy")
    kept = next(cell for cell in copy.cells if "spread" in cell.source)
    assert kept.source == "half = 0.5\nspread = half * x" and kept.metadata["jupyter"]["source_hidden"]


def test_a_solution_is_folded_in_jupyterlab_and_in_colab():
    copy = portable(toy(), facts(), "chapters/toy")
    solution = next(cell for cell in copy.cells if cell.source.startswith("#### Solution to exercise 12"))
    assert solution.metadata["jp-MarkdownHeadingCollapsed"] is True
    assert copy.metadata["colab"]["collapsed_sections"] == [solution.metadata["id"]] == [solution["id"]]


def test_a_role_that_would_break_a_string_of_code_is_an_error():
    notebook = toy(new_code_cell('say(f"{{doc}}`other`")'))
    with pytest.raises(PortableError, match="would break its string"):
        portable(notebook, facts(titles={"chapters/other": 'The "other"'}), "chapters/toy")


def test_an_error_names_the_chapter_and_the_cell():
    with pytest.raises(PortableError, match="chapters/toy, cell 9"):
        portable(toy(new_markdown_cell("{term}`none`")), facts(), "chapters/toy")


def test_copies_and_buttons_of_a_built_book(book):
    copies = book.folder / "_build" / "html" / "notebooks"
    assert sorted(path.name for path in copies.iterdir()) == ["one.ipynb", "two.ipynb"]  # no pyproject.toml, no wheel
    assert "**Fig. 1.** A line." in [cell["source"] for cell in nbformat.read(copies / "one.ipynb", 4).cells]
    assert '"../notebooks/one.ipynb"' in book.page("chapters/one")
    assert "_sources/chapters/one.ipynb" not in book.page("chapters/one") and ".zip" not in book.page("chapters/one")
    assert "notebooks/" not in book.page("intro")

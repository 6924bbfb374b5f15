"""tools/press/check_site.py: what a page quotes is what its chapter glued, in the page's format; and every glued name is quoted."""

import ast
import fnmatch
import json

import notebook_rules as rules
import pytest
from bs4 import BeautifulSoup

from tools.press import check_site

SOURCE = "It is {glue:text}`/chapters/one.ipynb::one_value:.1%` of {glue:text}`/chapters/one.ipynb::one_count:d`, {glue:text}`/chapters/one.ipynb::one_name`."
SHOWN = ("97.2%", "10", "3 as 5")


@pytest.fixture
def executed(tmp_path):
    """What a build leaves of a chapter that glues three values."""
    (tmp_path / "chapters").mkdir()
    glued = {"one_value": "0.9719", "one_count": "10", "one_name": "'3 as 5'"}
    content = {name: {"data": {"text/plain": text}} for name, text in glued.items()}
    (tmp_path / "chapters" / "one.glue.json").write_text(json.dumps(content))
    return tmp_path


def problems(shown, executed, source=SOURCE):
    html = "".join(f'<span class="pasted-text">{one}</span>' for one in shown)
    return list(check_site.check_quotes(BeautifulSoup(html, "html.parser"), source, executed))


def test_what_agrees_is_in_order(executed):
    assert problems(SHOWN, executed) == []


@pytest.mark.parametrize(
    ("shown", "told"),
    [
        (("97.1%", "10", "3 as 5"), "the page shows '97.1%' for one_value, its source has '97.2%'"),
        (("97.2%", "5", "3 as 5"), "the page shows '5' for one_count"),
        (("10", "97.2%", "3 as 5"), "the page shows '10' for one_value"),
        (("97.2%", "10"), "3 numbers are quoted in the source, 2 on the page"),
    ],
)
def test_what_differs_is_noticed(executed, shown, told):
    assert told in problems(shown, executed)[0]


def test_a_name_that_nothing_glues_is_noticed(executed):
    assert "no chapter glues it" in problems(SHOWN, executed, SOURCE.replace("one_count", "other"))[0]


def glued_names(chapter):
    """The names that a chapter glues; those that a loop makes as patterns."""
    for cell in chapter.code:
        for call in cell.calls("glue"):
            name = call.args[0]
            if isinstance(name, ast.Constant):
                yield name.value
            elif isinstance(name, ast.JoinedStr):
                yield "".join(part.value if isinstance(part, ast.Constant) else "*" for part in name.values)


def test_every_glued_name_is_quoted():
    quoted = {
        name
        for page in check_site.pages_of_toc()
        for _, name, _ in check_site.QUOTE.findall(check_site.text_of(rules.ROOT, page))
    }
    for chapter in rules.book_chapters():
        idle = [name for name in glued_names(chapter) if not fnmatch.filter(quoted, name)]
        assert not idle, f"{chapter.name} glues what no page quotes: {idle}"

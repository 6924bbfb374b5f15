"""tools/press/check_site.py: what a page quotes is what its chapter glued, in the page's format; and every glued name is quoted."""

import ast
import fnmatch
import json
import re
import tomllib

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


def misplaced(page_text, reads):
    """Yield what is wrong with where a page's quotes stand: one that no expected text holds, a text that is not there."""
    named = re.sub(r"\s+", " ", check_site.QUOTE.sub(lambda one: f"{{{one[2]}}}", page_text))
    left = named
    for text in reads:
        if text in left:
            left = left.replace(text, "")
        else:
            yield f"the page does not read {text!r}"
    for name in dict.fromkeys(one[1] for one in check_site.QUOTE.findall(page_text)):
        if f"{{{name}}}" in left:
            yield f"{{{name}}} stands where tests/quoted.toml does not have it"


def test_each_quote_stands_beside_what_it_is_of():
    expected = tomllib.loads((rules.ROOT / "tests" / "quoted.toml").read_text(encoding="utf-8"))
    wrong = [
        f"{page}: {one}"
        for page in check_site.pages_of_toc()
        if check_site.QUOTE.search(check_site.text_of(rules.ROOT, page)) or page in expected
        for one in misplaced(check_site.text_of(rules.ROOT, page), expected.get(page, {}).get("reads", ()))
    ]
    assert not wrong, "\n".join(wrong)


def test_exchanged_quotes_are_noticed():
    reads = ["It is {one_value} of {one_count}", "{one_name}"]
    assert not list(misplaced(SOURCE, reads))
    swapped = SOURCE.replace("one_value", "x").replace("one_count", "one_value").replace("::x", "::one_count")
    assert len(list(misplaced(swapped, reads))) == 3
    assert len(list(misplaced(SOURCE, reads[:1]))) == 1
    assert "does not read" in next(misplaced(SOURCE, [*reads, "gone"]))

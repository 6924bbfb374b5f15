"""The book's sentences are held by what tools/guards knows: numbers by what they are and by bands, conclusions by claims."""

import ast
import re
import tomllib

import notebook_rules as rules
import pytest

from tools.guards import bands, claims, figures, sentences
from tools.guards.kernel import spelling
from tools.upkeep import bounds

EXCEPTIONS = rules.ROOT / "tests" / "claims"
CHAPTERS = rules.book_chapters()
NAMES = [chapter.name for chapter in CHAPTERS]


def code_of(chapter):
    """(number, source) of the chapter's code cells, without the one that sets up Colab."""
    return [(cell.number, cell.source) for cell in chapter.code if not rules.is_setup_cell(cell)]


def exceptions_of(name, kind="excepted"):
    """The sentences of a chapter that need no claim, list of {words, reason}; or the numbers that a figure's text may hold ("drawn")."""
    path = EXCEPTIONS / f"{name}.toml"
    return tomllib.loads(path.read_text(encoding="utf-8")).get(kind, []) if path.is_file() else []


def texts_of(chapter):
    cells = [(c.kind, c.source, c.metadata) for c in chapter.cells if not (c.kind == "code" and rules.is_setup_cell(c))]
    return list(claims.texts(cells))


def front_page():
    return list(claims.prose((rules.ROOT / "intro.md").read_text(encoding="utf-8")))


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda one: one.name)
def test_words_and_quantities_agree(chapter):
    found = [
        f"cell {number}: {trouble}\n    {sentence}"
        for number, source in code_of(chapter)
        for sentence, trouble in sentences.complaints(source)
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda one: one.name)
def test_every_conclusion_has_its_claim(chapter):
    found, excepted = list(claims.claims(chapter.name, code_of(chapter))), exceptions_of(chapter.name)
    assert all(one["words"].strip() and len(one["reason"].split()) >= 3 for one in excepted), (
        "an exception needs a reason"
    )
    words = [one["words"] for one in excepted]
    page = texts_of(chapter)
    assert not list(claims.lost_words(found, page + front_page()))
    missing = list(claims.unclaimed(found, page, words))
    assert not missing, "claim(...) what these say, or except them in tests/claims:\n" + "\n".join(missing)
    assert not list(claims.idle(words, page)), "nothing needs these exceptions"


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda one: one.name)
def test_claims_stand_where_their_words_are(chapter):
    """In its section or the next (a hidden cell may stand before or after a heading), or where the chapter is summed up."""
    section, place, page = 0, {}, {}
    for cell in chapter.cells:
        section += cell.kind == "markdown" and bool(re.search(r"^## ", cell.source, re.M))
        place[cell.number] = section
        if not (cell.kind == "code" and rules.is_setup_cell(cell)):
            page.setdefault(section, []).extend(claims.texts([(cell.kind, cell.source, cell.metadata)]))
        if cell.kind == "markdown" and re.search(r"^## Summary", cell.source, re.M):
            summary = section
    far = []
    for claim in claims.claims(chapter.name, code_of(chapter)):
        here = place[claim.cell]
        near = [one for part in {0, here - 1, here, here + 1, summary} for one in page.get(part, ())]
        far += claims.lost_words([claim], near + front_page())
    assert not far, far


def test_the_front_page_says_what_chapters_claim():
    found = [one for chapter in CHAPTERS for one in claims.claims(chapter.name, code_of(chapter))]
    words = [one["words"] for one in exceptions_of("intro")]
    assert all(len(one["reason"].split()) >= 3 for one in exceptions_of("intro"))
    assert not list(claims.unclaimed(found, front_page(), words))
    assert not list(claims.idle(words, front_page()))


def said_in(source):
    """(kind, key) of every sentence, glued and checked value that stands in a cell by name; key None if it is computed."""
    for node in ast.walk(ast.parse(source)):
        kind = getattr(getattr(node, "func", None), "id", "")
        if kind == "say" and node.args:
            yield "say", spelling(node, source)
        elif kind in ("glue", "check") and node.args:
            yield kind, node.args[0].value if isinstance(node.args[0], ast.Constant) else None


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda one: one.name)
def test_every_number_has_a_band(chapter):
    stored = bands.stored(rules.ROOT, chapter.name)
    assert set(stored.editions) == {"sample", "full"}, f"make bounds NAME={chapter.name}"
    said = {one for _, source in code_of(chapter) for one in said_in(source)}
    held = {(one.kind, one.key) for sentences in stored.editions.values() for one in sentences}
    missing = {one for one in said if one[1] is not None} - held
    assert not missing, f"without a band (make bounds NAME={chapter.name}): {sorted(missing)}"
    computed = {kind for kind, key in said if key is None}
    idle = {one for one in held - said if one[0] not in computed | {"figure"}}
    assert not idle, f"nothing says these any more (make bounds NAME={chapter.name}): {sorted(idle)}"
    drawn = {
        key.rpartition(", ")[0] for kind, key in held if kind == "figure"
    }  # none: recorded before figures had bands
    assert not drawn or drawn == set(rules.figure_names(chapter)), (
        f"its figures changed (make bounds NAME={chapter.name})"
    )
    for edition, found in stored.editions.items():
        varies = any("runs" in number for one in found for variant in one.variants for number in variant.numbers)
        varies |= any(len(one.variants) > 1 for one in found)
        least = bounds.RUNS if varies else bounds.ENOUGH
        assert found and all(one.runs >= least for one in found), f"{edition}: fewer than {least} runs"


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda one: one.name)
def test_alternative_texts_count_what_is_drawn(chapter):
    """Numbers in them are those of the figure's facts, in each edition; exceptions stand with a reason in tests/claims."""
    excepted = {one["figure"]: one for one in exceptions_of(chapter.name, "drawn")}
    assert all(len(one["reason"].split()) >= 3 for one in excepted.values()), "an exception needs a reason"
    wrong, needed = [], set()
    for edition, found in bands.stored(rules.ROOT, chapter.name).editions.items():
        lines = {}
        for one in found:
            if one.kind == "figure":
                lines.setdefault(one.key.rpartition(", ")[0], []).append(one.variants[0].first())
        for cell in chapter.cells:
            about = cell.metadata.get("mystnb", {})
            name, words = about.get("figure", {}).get("name"), about.get("image", {}).get("alt", "")
            untrue = figures.untrue_numbers(words, lines[name][1:]) if name else []
            if untrue and set(untrue) <= set(excepted.get(name, {}).get("numbers", ())):
                needed.add(name)
            elif untrue:
                wrong.append(f"{edition}, {name}: {untrue} in {words!r}")
    assert not wrong, "the figures hold no such numbers:\n" + "\n".join(wrong)
    assert needed == set(excepted), f"nothing needs these exceptions: {set(excepted) - needed}"


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda one: one.name)
def test_no_hand_written_bounds_where_bands_are(chapter):
    by_hand = [
        f"cell {number}: {ast.unparse(node)[:80]}"
        for number, source in code_of(chapter)
        for node in ast.walk(ast.parse(source))
        if getattr(getattr(node, "func", None), "id", "") == "check"
        and {word.arg for word in node.keywords} & {"full", "sample"}
    ]
    assert not by_hand, by_hand


def test_bands_are_of_chapters():
    assert {path.stem for path in (rules.ROOT / "data" / "bands").glob("*.json")} <= set(NAMES)
    assert {path.stem for path in EXCEPTIONS.glob("*.toml")} <= {*NAMES, "intro"}

"""Sentences that compare, rank or deny a difference, and the ``claim(...)`` that holds each of them.

A chapter's claims quote the words that they hold; :func:`lost_words` finds claims whose words stand nowhere, :func:`unclaimed` finds
sentences that compare and have no claim, in the text of cells, in the typed words of ``say(...)`` and in captions, summaries
included, and on the front page, whose sentences are held by claims of the chapters that it speaks of. Sentences that compare
and measure nothing (definitions, instructions, what follows by arithmetic) are listed with their reason in
``data/claims_exceptions.toml``; one that no sentence needs any more is a fault as well.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

from tools.guards.sentences import END, PLACE, sentences

#: Words that compare. A sentence with one of them says something that a measurement could refute.
COMPARING = re.compile(
    r"(?<![\w-])(?:better|worse|best|worst|more than|less than|more often|less often|fewer|fewest|larger|largest|smaller|smallest|"
    r"higher|highest|lower|lowest|faster|fastest|slower|slowest|quicker|cheaper|cheapest|dearer|easier|easiest|harder|hardest|"
    r"as (?:good|well|fast|many|much|large|small|accurate) as|no (?:difference|better|worse|more)|hardly|beats?|wins?|loses?|"
    r"outperforms?|always|never|every (?:seed|run|network|time)|most of|grows?|falls?|rises?|climbs?|shrinks?|"
    r"gets? (?:better|worse)|improves?|hurts?|helps?|(?<!a )(?<!another )matters?|close together|alike|flat)(?![\w-])",
    re.I,
)
UNREAD = re.compile(r"\A---\n.*?\n---\n|<!--.*?-->|\$\$.*?\$\$", re.S)
FENCE = re.compile(r"^\s*(`{3,}|:{3,})(.*)$")
CODE = re.compile(r"\{(?:code|code-block|code-cell|math|literalinclude|raw|bibliography|toctree|mermaid)\b")
OPTION = re.compile(r"^\s*:[\w-]+:")
ROLE = re.compile(r"\{[\w:-]+\}`([^`<]*?)(?:\s*<[^`>]*>)?`")


@dataclass(frozen=True)
class Claim:
    """The words that a call of claim holds, and the chapter and cell where it stands."""

    chapter: str
    cell: int
    words: str


def plain(text):
    """Return text as it is compared: no marks of emphasis, roles or code, one space for any white space, small letters."""
    text = ROLE.sub(r"\1", text)
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"(?<!\w)[*_]{1,2}|[*_]{1,2}(?!\w)|`", "", text)
    return re.sub(r"\s+", " ", text).strip().lower()


def prose(markdown):
    """Yield the sentences of Markdown text: code, formulas on lines of their own and the marks of directives left out."""
    kept, fences = [], []  # fences: (mark, whether code is inside) of those that are open
    for line in UNREAD.sub("\n\n", markdown).splitlines():
        fence = FENCE.match(line)
        if fence and fences and not fence[2].strip() and fence[1].startswith(fences[-1][0]):
            fences.pop()
            line = ""
        elif fence and not any(code for _, code in fences):
            # A fence without a directive opens code; ``{exercise-start}`` and its like close at once, by a fence of their own.
            about = fence[2].strip()
            fences.append((fence[1], not about.startswith("{") or bool(CODE.match(about))))
            line = ""
        elif any(code for _, code in fences) or line.startswith("#") or (fences and OPTION.match(line)):
            line = ""
        kept.append(line)
    for part in END.split("\n".join(kept)):
        if part and part.strip():
            yield part.strip()


def claims(chapter, cells):
    """Yield the claims of a chapter.

    cells : list of (number, source)
        Its code cells.
    """
    for number, source in cells:
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "claim" and node.args:
                words = node.args[0]
                yield Claim(chapter, number, words.value if isinstance(words, ast.Constant) else "")


def texts(cells):
    """Yield every sentence of a chapter that a reader sees: of Markdown cells, captions and the typed words of say.

    cells : list of (kind, source, metadata)
    """
    for kind, source, metadata in cells:
        if kind == "markdown":
            yield from prose(source)
            continue
        caption = metadata.get("mystnb", {}).get("figure", {}).get("caption", "")
        yield from prose(caption)
        if "say(" in source:
            # A sentence of numbers alone is held by their bands; its typed words may conclude.
            yield from (PLACE.sub("#", said.text).strip() for said in sentences(source))


def compares(sentence):
    """Tell whether a sentence says something that compares; a question does not."""
    return bool(COMPARING.search(plain(sentence))) and not sentence.rstrip("*_ )").endswith("?")


def lost_words(found, all_sentences):
    """Yield a complaint for every claim whose words stand in no sentence, or are too few to find one.

    found : list of Claim; all_sentences : list of str
    """
    known = [plain(one) for one in all_sentences]
    for claim in found:
        words = plain(claim.words)
        if len(words.split()) < 3:
            yield f"{claim.chapter}, cell {claim.cell}: claim({claim.words!r}) must quote at least three words, typed in the call"
        elif not any(words in one for one in known):
            yield f"{claim.chapter}, cell {claim.cell}: no sentence reads {claim.words!r}: quote it as it stands"


def unclaimed(found, page_sentences, exceptions):
    """Yield every sentence with a word that compares and that stands neither in a claim nor in an exception.

    So that this word cannot be turned round, the words of the claim are to hold it. So are those of an exception. In a sentence that
    a cell says (``#`` for its numbers) any of them will do: its words are held by its bands.

    exceptions : list of str
        Words of sentences that need no claim.
    """
    held = [plain(one) for one in [*(claim.words for claim in found), *exceptions]]
    for sentence in page_sentences:
        text = plain(sentence)
        if not compares(sentence):
            continue
        spans = [(text.index(words), text.index(words) + len(words)) for words in held if words and words in text]
        if not (spans and "#" in text) and not all(
            any(a <= one.start() and one.end() <= b for a, b in spans) for one in COMPARING.finditer(text)
        ):
            yield sentence


def idle(exceptions, all_sentences):
    """Yield the exceptions that stand in no sentence that compares."""
    known = [plain(one) for one in all_sentences if compares(one)]
    yield from (one for one in exceptions if not any(plain(one) in sentence for sentence in known))

"""The page about the book's numbers is what the chapters, their bands and the planted faults make of it."""

import pytest

from tools.guards import bands
from tools.upkeep import numbers_page, try_mutants


def test_the_page_is_what_make_numbers_writes():
    written = (numbers_page.ROOT / numbers_page.PAGE).read_text(encoding="utf-8")
    assert written == numbers_page.page(), "the page is stale: make numbers"


def test_what_is_counted(tmp_path, monkeypatch):
    def said(kind, key, *texts):
        return [[{"kind": kind, "key": key, "text": text}] for text in texts]

    runs = [
        sum(one, [])
        for one in zip(
            said("say", "say(a)", "Of 10 images 7 are right.", "Of 10 images 8 are right."),
            said("say", "say(b)", "None.", "None."),
            said("glue", "c", "0.7", "0.8"),
            said("figure", "fig-d, 0", "2 lines", "2 lines"),
            said("figure", "fig-d, 1", "axes", "axes"),
            strict=True,
        )
    ]
    path = tmp_path / "one.ipynb"
    cell = '{"cell_type": "code", "source": ["claim(\\"they are right\\", True)\\n", "claim(\\"so they are\\", 1)"]}'
    path.write_text('{"cells": [' + cell + "]}")
    monkeypatch.setattr(
        numbers_page.bands, "stored", lambda root, chapter: bands.Bands("one", {"full": bands.made(runs)})
    )
    assert numbers_page.chapter_row(path) == {
        "sentences": 2,
        "numbers": 2,
        "vary": 1,
        "values": 1,
        "figures": 1,
        "claims": 2,
    }


def test_what_changes_nothing_is_not_counted_and_reasons_are_listed():
    entry = {"noticed": ["a", "b"], "survived": {"c": "no fault: no value lies there", "d": "seen by nobody", "e": ""}}
    assert try_mutants.counted(entry) == (4, 2) and try_mutants.percent(2, 4) == "50%"
    assert try_mutants.percent(199, 200) == "99%" and try_mutants.percent(0, 0) == "-"
    record = {"helpers": entry, "cells": {"noticed": [], "survived": {"f": "seen by nobody"}}}
    assert numbers_page.mutants_row("all", 8, 6, 2) == "| all | 8 | 4 | 6 | 75% |"
    assert numbers_page.reasons(record) == [
        "- code of chapters, shown and hidden: seen by nobody (1)",
        "- code that chapters share: seen by nobody (1)",
        "- code that chapters share: not explained yet (1)",
    ]


@pytest.mark.parametrize("kind", try_mutants.mutants.KINDS)
def test_every_fault_that_nothing_noticed_is_explained(kind):
    entry = try_mutants.load()[kind]
    assert not set(entry["noticed"]) & set(entry["survived"])
    bare = [name for name, why in entry["survived"].items() if len(why.split()) < 3]
    assert not bare, f"say why these survive, in {try_mutants.RECORD.name}: {bare}"

"""What listens in the kernels of the build and of the tests: each sentence, glued value, checked value and
figure is held to its band.

It is loaded as an IPython extension (``profile``), so a reader's kernel knows nothing of it. With DIGITS_GUARD_LOG set to a
file, what is said is written there and nothing is compared: ``make bounds`` makes the bands from that.
"""

from __future__ import annotations

import ast
import functools
import json
import linecache
import os
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TIMED = "⏱"  # stands for a time measured in this run
LOG = "DIGITS_GUARD_LOG"


class Listener:
    """Hears what :func:`helpers.text.say`, ``glue`` and ``check`` hand on."""

    def __init__(self):
        self.times = []
        self.log = os.environ.get(LOG)

    @property
    def recording(self):
        """Whether what is said is written down and not compared."""
        return bool(self.log)

    def timed(self, said):
        """Note a time as it was printed: the next sentence holds it."""
        self.times.append(said)

    def said(self, text, frame):
        """Take a sentence; AssertionError if one of its numbers lies outside its band."""
        text, self.times = without_times(text, self.times), []
        if (
            frame.f_globals.get("__name__") == "__main__"
        ):  # what a helper says, of an exercise say, is no sentence of the page
            self._hear("say", spoken_source(frame, "say"), text, frame)

    def noted(self, kind, name, value, frame):
        """Take a glued or checked value; AssertionError if it lies outside its band."""
        text = f"{value:.12g}" if isinstance(value, (int, float)) else str(value)
        self.times = []
        self._hear(kind, name, TIMED if type(value).__name__ == "timed" else text, frame)

    def drawn(self, cell):
        """Take the figures that a cell leaves open, by its source; AssertionError if one says something else than before."""
        pyplot = sys.modules.get("matplotlib.pyplot")
        open_ones = pyplot.get_fignums() if pyplot else []
        chapter, name, timed = figure_of(cell) if open_ones else ("", "", False)
        if not name:
            return
        from tools.guards.bands import NUMBER
        from tools.guards.figures import facts

        lines = [line for number in open_ones for line in facts(pyplot.figure(number)).split("\n")]
        for place, line in enumerate([f"{len(lines)} lines", *lines]):
            self._take("figure", f"{name}, {place}", NUMBER.sub(TIMED, line) if timed else line, chapter)

    def _hear(self, kind, key, text, frame):
        self._take(kind, key, text, chapter_of("".join(linecache.getlines(frame.f_code.co_filename))))

    def _take(self, kind, key, text, chapter):
        from helpers.data import current_edition

        if self.log:
            with Path(self.log).open("a", encoding="utf-8") as file:
                file.write(json.dumps({"kind": kind, "key": key, "text": text}, ensure_ascii=False) + "\n")
            return
        if chapter:
            from tools.guards import bands

            trouble = bands.stored(ROOT, chapter).trouble(current_edition(), kind, key, text)
            if trouble:
                raise AssertionError(f"{chapter}: {trouble}")


def without_times(text, times):
    """Return the text with the printed times replaced, in the order in which they were printed."""
    at = 0
    for said in times:
        found = re.compile(rf"(?<![\d.,]){re.escape(said)}(?!\d|[.,]\d)").search(
            text, at
        )  # not a part of another number
        if found:
            text = text[: found.start()] + TIMED + text[found.end() :]
            at = found.start() + len(TIMED)
    return text


def spoken_source(frame, name):
    """Return the call that runs in a frame as :func:`spelling` writes it."""
    import executing

    node = executing.Source.executing(frame).node
    if not (isinstance(node, ast.Call) and getattr(node.func, "id", "") == name and node.args):
        raise AssertionError(f"{name}(...) is to be called by its name, in a cell")
    return spelling(node, executing.Source.for_frame(frame).text)


def spelling(call, source):
    """Return a call as it stands in its cell, on one line: what a sentence is known by. (``ast.unparse`` would quote f-strings
    otherwise in another Python.)"""
    return re.sub(r"\s*\n\s*", " ", ast.get_source_segment(source, call))


@functools.cache
def _cells():
    """Return source of a cell -> (chapter, name of its figure or "", whether that draws times of this run), of all chapters."""
    found = {}
    for path in sorted((ROOT / "chapters").glob("*.ipynb")):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            if cell["cell_type"] == "code":
                figure = cell["metadata"].get("mystnb", {}).get("figure", {}).get("name", "")
                timed = cell["metadata"].get("guards") == "timed"
                found.setdefault("".join(cell["source"]).strip(), (path.stem, figure, timed))
    return found


def chapter_of(source):
    """Return the name of the chapter with a cell of this source; "" if there is none."""
    return _cells().get(source.strip(), ("",))[0]


def figure_of(source):
    """Return the chapter with a cell of this source, the name of that cell's figure (empty if there is none), and whether the figure
    draws times of this run (metadata ``"guards": "timed"``): its numbers have no bands then, its words have."""
    return _cells().get(source.strip(), ("", "", False))


def load_ipython_extension(shell):
    """Listen as soon as a cell has imported ``helpers.text``: nothing is imported for it, so a kernel starts as fast as ever."""

    def attach(*_):
        module = sys.modules.get("helpers.text")
        if module is not None and module.listener is None:
            module.listener = Listener()

    shell.events.register("pre_run_cell", attach)
    run = shell.run_ast_nodes

    async def run_and_look(nodes, cell_name, *arguments, result=None, **options):
        """Look at a cell's figures when it has run and before they are shown and closed; trouble there is an error of that cell."""
        failed = await run(nodes, cell_name, *arguments, result=result, **options)
        listener = getattr(sys.modules.get("helpers.text"), "listener", None)
        if failed or listener is None:
            return failed
        try:
            listener.drawn("".join(linecache.getlines(cell_name)))
        except AssertionError as trouble:
            result.error_in_exec = trouble
            shell.showtraceback()
            return True
        return False

    # No event of IPython's may fail a cell, and a figure is closed once it is shown; so this stands around what runs the cell.
    shell.run_ast_nodes = run_and_look


def write_profile(folder, *extensions):
    """Write an IPython profile that loads this extension and others; return what IPYTHONDIR is to be: ``folder`` (Path)."""
    path = Path(folder) / "profile_default" / "ipython_kernel_config.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    names = ["tools.guards.kernel", *extensions]
    path.write_text(f"c = get_config()\nc.InteractiveShellApp.extensions = {names!r}\n", encoding="utf-8")
    return Path(folder)


def digest(code):
    """Return the digest of the code that holds a chapter to its bands: executed chapters depend on it.

    code : experiments.bench.code.Code
    """
    return code.digest(
        "tools.guards.kernel:load_ipython_extension", "tools.guards.bands:stored", "tools.guards.figures:facts"
    )

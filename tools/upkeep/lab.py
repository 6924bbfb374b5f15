"""``make lab``: JupyterLab, opened on a page of contents made from _toc.yml. Further arguments go to JupyterLab."""

import json
import re
import sys
from pathlib import Path

from tools.press.check_site import pages_of_toc

ROOT = Path(__file__).resolve().parents[2]
PAGE = "contents.md"  # not in git: made anew at every start
# Defaults that a reader's own settings override: Markdown opens as it reads, not in the editor; no news from the network.
SETTINGS = {
    "@jupyterlab/docmanager-extension:plugin": {"defaultViewers": {"markdown": "Markdown Preview"}},
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false"},
}
HEAD = """\
# {title}

Click a chapter to open it as a notebook. Each stands alone: *Run → Run All Cells* runs it from top to bottom.

"""
FOOT = """
What to do when something does not work stands in [troubleshooting.md](troubleshooting.md), the words that the book explains in
[glossary.md](glossary.md).
"""


def plain(text):
    """Markdown with roles and emphasis reduced to their words; a citation goes."""
    text = re.sub(r"\s*\{cite(?::\w+)?\}`[^`]*`", "", text)
    text = re.sub(r"\{\w[\w:]*\}`([^`<]*?)\s*(?:<[^>]*>)?`", r"\1", text)
    return " ".join(text.split())


def title_and_sentence(path):
    """A chapter's title and the first sentence of its text."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    text = "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    title = re.search(r"^# +(.+)$", text, re.M)
    after = text[title.end() :].strip().split("\n\n")[0] if title else text
    sentence = re.match(r".*?[.?!](?=\s+[A-Z]|$)", plain(after))
    return plain(title[1]) if title else path.stem, sentence[0] if sentence else plain(after)


def contents(root=ROOT):
    """Return the page: the book's title, and each notebook in the book's order with its first sentence."""
    import yaml

    title = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))["title"]
    lines = []
    for name in pages_of_toc(root):
        path = root / f"{name}.ipynb"
        if path.is_file():
            chapter, sentence = title_and_sentence(path)
            lines.append(f"{len(lines) + 1}. [{chapter}]({name}.ipynb): {sentence}")
    return HEAD.format(title=title) + "\n".join(lines) + "\n" + FOOT


def write(root=ROOT):
    """Write the page and the settings for this start; return JupyterLab's arguments."""
    (root / PAGE).write_text(contents(root), encoding="utf-8")
    settings = root / "_build" / "lab"
    settings.mkdir(parents=True, exist_ok=True)
    (settings / "overrides.json").write_text(json.dumps(SETTINGS, indent=1), encoding="utf-8")
    return [
        f"--notebook-dir={root}",
        f"--LabApp.app_settings_dir={settings}",
        f"--LabApp.default_url=/lab/tree/{PAGE}",
    ]


def main(arguments):
    """Run JupyterLab until it is ended."""
    from jupyterlab.labapp import main as jupyterlab

    return jupyterlab([*write(), *arguments])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

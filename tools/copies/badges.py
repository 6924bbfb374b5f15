"""README's buttons for Binder and Colab, from the one address: ``python -m tools.copies.badges [--check]``; ``make address`` runs it.

They stand between two comments in README.md. While there is no address, a sentence stands there instead.
"""

import argparse
import sys
from pathlib import Path

from tools.copies.site import colab_address
from tools.press import address

ROOT = Path(__file__).resolve().parents[2]
START, END = "<!-- buttons: made by make address -->\n", "<!-- end of the buttons -->\n"
FIRST_CHAPTER = "before_you_start.ipynb"
NONE_YET = "The repository has no public address yet, so no button for Binder or Colab is shown here.\n"


class BadgesError(Exception):
    """README.md lacks the place for the buttons."""


def binder_address(root=None):
    """The address that starts the book in Binder; None without an address."""
    repository = address.repository(root)
    if not repository:
        return None
    path = repository.removeprefix("https://github.com/")
    return f"https://mybinder.org/v2/gh/{path}/{address.branch(root)}?urlpath=lab/tree/chapters/{FIRST_CHAPTER}"


def badges(root=None):
    """The Markdown that stands between the comments."""
    if not address.repository(root):
        return NONE_YET
    colab = "https://colab.research.google.com/assets/colab-badge.svg"
    return (
        f"[![Start in Binder](https://mybinder.org/badge_logo.svg)]({binder_address(root)})\n"
        f"[![Open in Colab]({colab})]({colab_address(FIRST_CHAPTER, root)})\n"
    )


def with_badges(text, root=None):
    """Return README's text with the buttons of now."""
    before, start, rest = text.partition(START)
    _, end, after = rest.partition(END)
    if not (start and end):
        raise BadgesError(f"README.md lacks one of the lines {START.strip()!r} and {END.strip()!r}: put them back")
    return before + start + badges(root) + end + after


def main(arguments=None):
    """Write or check; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args(arguments)
    path = ROOT / "README.md"
    text = path.read_text(encoding="utf-8")
    new = with_badges(text)
    if new != text and options.check:
        print("README.md has other buttons than the address says: run make address", file=sys.stderr)
        return 1
    if new != text:
        path.write_text(new, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

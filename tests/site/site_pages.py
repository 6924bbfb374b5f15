"""Which pages the site has, and where it lies."""

from pathlib import Path

from tools.press.check_site import pages_of_toc

ROOT = Path(__file__).resolve().parents[2]

BUILD = ROOT / "_build"
HTML = BUILD / "html"
# The pages of the contents, and those that Sphinx and the project add.
PAGES = pages_of_toc(ROOT)
ALL_PAGES = [*PAGES, "search", "genindex", "404"]

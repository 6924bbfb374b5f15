"""Which pages the site has, and where it lies."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))
from check_site import pages_of_toc  # noqa: E402

BUILD = ROOT / "_build"
HTML = BUILD / "html"
# The pages of the contents, and those that Sphinx and the project add.
PAGES = pages_of_toc(ROOT)
ALL_PAGES = [*PAGES, "search", "genindex", "404"]

"""Which pages the site has, where it lies, and which of them stand for their kind in the slow tests."""

import os
from pathlib import Path

from tools.press.check_site import pages_of_toc

ROOT = Path(__file__).resolve().parents[2]

BUILD = ROOT / "_build"
HTML = BUILD / "html"
# The pages of the contents, and those that Sphinx and the project add.
PAGES = pages_of_toc(ROOT)
ALL_PAGES = [*PAGES, "search", "genindex", "404"]
# One page of each kind: pages of a kind share templates, styles and scripts, so what is slow looks at these alone.
KINDS = ["intro", "chapters/training", "draw", "coursework/pages/preprocessing", "glossary"]
# make test-site ALL=yes looks at every page instead, as before a release.
THOROUGH = os.environ.get("SITE_TESTS") == "all"

"""Find the Chromium that prints the book and runs the site's tests."""

import os
import shutil
from pathlib import Path

CURE = (
    "`.venv/bin/playwright install chromium` fetches one (Debian: `apt-get install chromium`; or CHROMIUM=/path/to/it)"
)
# Chromium asks its makers for updates and lists when it starts; none of that belongs here. Its sandbox wants rights that
# containers withhold, and the pages are our own.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


class NoBrowser(Exception):
    """There is no Chromium where one was named; the message says where and what to do."""


def find_chromium():
    """Return the path of a Chromium: $CHROMIUM, the system's, Playwright's own; None if there is none.

    Raises NoBrowser if $CHROMIUM names a program that does not exist.
    """
    named = os.environ.get("CHROMIUM")
    if named:
        if not shutil.which(named):
            raise NoBrowser(f"CHROMIUM={named}: there is no such program; unset it, or name one that is there")
        return shutil.which(named)
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if shutil.which(name):
            return shutil.which(name)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).is_file() else None

"""The book's public addresses, from their one place: ``[tool.digits]`` in pyproject.toml.

While a setting holds the placeholder (a capital OWNER stands in it), or the project has no such table, the function
returns None: whoever shows a button, a badge or a link then leaves it out.
"""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PLACEHOLDER = "OWNER"
# Jupyter Book finds out which service a repository lies with by its host, and Colab and Binder's short form know GitHub.
REPOSITORY = re.compile(r"https://github\.com/[\w.-]+/[\w.-]+")
BRANCH = re.compile(r"[\w.-]+(/[\w.-]+)*")
SITE = re.compile(r"https?://[^\s/?#]+(/[^\s?#]*)?/")


class AddressError(ValueError):
    """A setting is not what it should be. The message names the file, the setting, the fault and the cure."""


def _setting(name, default, pattern, example, root):
    """One setting, checked; None while it is the placeholder."""
    path = Path(root or ROOT) / "pyproject.toml"
    table = tomllib.loads(path.read_text(encoding="utf-8")).get("tool", {}).get("digits", {}) if path.is_file() else {}
    value = table.get(name, default)
    if value is None or (isinstance(value, str) and PLACEHOLDER in value):
        return None
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise AddressError(f"{path}: {name} in [tool.digits] is {value!r}; write it like {example!r}")
    return value


def repository(root=None):
    """Return the repository's address on GitHub ("https://github.com/someone/digits", nothing after it), or None."""
    value = _setting("repository", None, REPOSITORY, "https://github.com/someone/digits", root)
    if value and value.endswith(".git"):
        raise AddressError(f"repository in [tool.digits] of pyproject.toml is {value!r}; leave .git out")
    return value


def branch(root=None):
    """Return the branch that readers get: "main" unless it is set."""
    return _setting("branch", "main", BRANCH, "main", root)


def copies_branch(root=None):
    """Return the branch that holds the notebooks made for Colab and Binder: "notebooks" unless it is set."""
    return _setting("copies_branch", "notebooks", BRANCH, "notebooks", root)


def site(root=None):
    """Return the base address of the published pages ("https://someone.github.io/digits/", with the slash), or None."""
    return _setting("site", None, SITE, "https://someone.github.io/digits/", root)

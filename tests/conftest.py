"""Fixtures that several test files use."""

from small_book import book, built  # noqa: F401

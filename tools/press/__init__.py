"""Builds the book and finishes, checks and prints its site: ``python -m tools.press``."""

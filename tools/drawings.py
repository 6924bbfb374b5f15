"""Hands on ``make_development`` to ``experiments.page_models``, which looks for it here."""

from tools.draw.templates import make_development

__all__ = ["make_development"]

"""What the handlers of Sphinx's events tell one another, and what one build leaves for the next. Nothing else is kept anywhere."""

from dataclasses import dataclass, field


@dataclass
class Build:
    """What is known of one build. ``tools/extension.py`` makes one and hands it to the handlers that need it.

    edition: "full" or "sample"; data: identifies the data and the code that draws figures (both from ``build.settle``).
    formulas: a ``build_time_math.Formulas`` (from ``build_time_math.begin``). parts: what every page loads, as
    ``finish_site.bundle`` takes it; shared: the names of these assets (both from ``finish_site.note_parts``).
    """

    edition: str = "unknown"
    data: str = ""
    formulas: object = None
    parts: dict = field(default_factory=dict)
    shared: set = field(default_factory=set)


def kept(env):
    """Return the dict that one build leaves for the next, in Sphinx's environment, which is pickled.

    look: what all pages were dressed in. fingerprints: {docname: what its results depended on}. drawing_page: a digest of the
    drawing page's scripts and styles. An entry is missing until a build has set it.
    """
    if not hasattr(env, "digits_kept"):
        env.digits_kept = {}
    return env.digits_kept

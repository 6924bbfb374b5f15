"""The bibliography's labels read as the citations do (LeCun et al., 1998), not as [LBB+98]."""

from pybtex.style.formatting.plain import Style
from pybtex.style.labels import BaseLabelStyle


class AuthorYearLabels(BaseLabelStyle):
    """Labels of the bibliography as citations read: "LeCun et al., 1998"."""

    def format_labels(self, entries):
        """Yield one label an entry."""
        for entry in entries:
            authors = entry.persons["author"]
            names = [" ".join(author.prelast_names + author.last_names).strip("{}") for author in authors]
            people = f"{names[0]} et al." if len(names) > 2 else " and ".join(names)
            yield f"{people}, {entry.fields['year']}"


class AuthorYearList(Style):
    """Jupyter Book's plain bibliography with author-year labels."""

    default_label_style = AuthorYearLabels

"""Pages of feedback, with nbgrader's template and without hidden tests."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import nbformat
from nbconvert.exporters import HTMLExporter
from nbconvert.filters.highlight import Highlight2HTML
from nbconvert.filters.widgetsdatatypefilter import WidgetsDataTypeFilter
from tqdm import tqdm
from traitlets.config import Config

from coursework.grade import isolated
from coursework.grade.course import LOG, GetGrades, read_json, write_json


class FeedbackExporter(HTMLExporter):
    """nbconvert's HTML exporter without its second look at the finished page, which takes as long as all the rest.

    That look parses each page to give pictures without an alternative text one; this does it with an expression.
    """

    def from_notebook_node(self, nb, resources=None, **more):
        language = nb.metadata.get("language_info", {})
        lexer = language.get("pygments_lexer", language.get("name"))
        resources = self._init_resources(resources)
        self.register_filter("highlight_code", Highlight2HTML(pygments_lexer=lexer, parent=self))
        kinds = WidgetsDataTypeFilter(notebook_metadata=self._nb_metadata, parent=self, resources=resources)
        self.register_filter("filter_data_type", kinds)
        html, resources = super(HTMLExporter, self).from_notebook_node(nb, resources, **more)
        return re.sub(r"<img(?![^>]*\balt=)", '<img alt="A picture that the code above made"', html), resources


def write_feedback(course, rows, quiet=False):
    """Write the feedback pages that are missing or out of date, with nbgrader's template; returns {student: sentence} of faults."""
    from nbgrader.converters import GenerateFeedback

    converter = GenerateFeedback(coursedir=course.directory, config=course.config)
    config = Config(converter.config)
    config.HTMLExporter.sanitize_html = True  # students' Markdown and outputs run no script in anybody's browser
    exporter = FeedbackExporter(config=config)
    exporter._preprocessors = []
    for step in (
        course.step(GetGrades),
        course.step(isolated.HideHiddenTests),
        steps_css()(config=config, enabled=True),
    ):
        exporter.register_preprocessor(step, enabled=True)
    failed, graded = {}, [row for row in rows if row["status"] == "graded"]
    for row in tqdm(graded, unit="page", desc="feedback", disable=True if quiet else None):
        student = row["student"]
        source = course.path("autograded", student) / f"{course.name}.ipynb"
        target = course.path("feedback", student) / f"{course.name}.html"
        state = course.state / f"{student}.feedback.json"
        comments = [
            one.comment
            for notebook in course.gradebook.find_submission(course.name, student).notebooks
            for one in notebook.comments
        ]
        told = json.dumps([row["points"], row["total"], row["needs_marking"], comments]).encode()
        code = Path(isolated.__file__).read_bytes()
        digest = hashlib.sha256(source.read_bytes() + told + code).hexdigest()
        if target.is_file() and read_json(state).get("digest") == digest:
            continue
        try:
            notebook = nbformat.read(source, as_version=4)
            page, _ = exporter.from_notebook_node(notebook, resources=course.resources(student))
            target.parent.mkdir(parents=True, exist_ok=True)
            new = target.with_name(f".{target.name}.new")
            new.write_text(page, encoding="utf-8")
            new.rename(target)
            write_json(state, {"digest": digest})
        except Exception as error:
            LOG.exception("feedback for %s failed", student)
            failed[student] = f"no feedback could be written ({type(error).__name__}: {str(error)[:200]})"
    return failed


def steps_css():
    """Return nbconvert's step that puts its styles into a page."""
    from nbconvert.preprocessors import CSSHTMLHeaderPreprocessor

    return CSSHTMLHeaderPreprocessor

"""The one Sphinx extension: it alone registers anything, its order holds, and nothing is left on Sphinx's application."""

import ast
from functools import partial
from types import SimpleNamespace

import pytest
import yaml
from notebook_rules import ROOT
from sphinx.application import Sphinx

from tools import extension
from tools.draw import page
from tools.press import build, state

MODULES = sorted((ROOT / "tools").rglob("*.py"))
TREES = {path.relative_to(ROOT).as_posix(): ast.parse(path.read_text(encoding="utf-8")) for path in MODULES}
EXTENSION = "tools/extension.py"
STATE = "tools/press/state.py"
HANDLERS = [handler for _, _, handlers in extension.EVENTS for handler in handlers]


def registrations(tree):
    """What a module registers with Sphinx: a function ``setup``, calls of ``app.connect``, ``app.add_node`` and their like.

    Styles and scripts that a handler adds to a page (``app.add_css_file``) are no registration.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name == "setup":
            yield "setup"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            name, holder = node.func.attr, ast.unparse(node.func.value)
            if holder == "app" and name.startswith(("connect", "add_")) and name not in ("add_css_file", "add_js_file"):
                yield f"app.{name}"


def left_behind(tree):
    """Where a module keeps something on Sphinx's application, its environment or its builder, or looks for it there by name."""
    holders = {"app", "env", "app.env", "app.builder", "self.builder.app"}
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Attribute)
            and isinstance(node.ctx, ast.Store | ast.Del)
            and ast.unparse(node.value) in holders
        ):
            yield ast.unparse(node)
        by_name = isinstance(node, ast.Call) and ast.unparse(node.func) in ("getattr", "hasattr", "setattr", "delattr")
        if by_name and ast.unparse(node.args[0]) in holders:
            yield ast.unparse(node)


def test_one_module_registers_with_sphinx():
    assert {name for name, tree in TREES.items() if list(registrations(tree))} == {EXTENSION}
    assert {"setup", "app.connect", "app.add_node"} <= set(registrations(TREES[EXTENSION]))


def test_nothing_is_left_on_the_application():
    """But for the one place that is for it: what a build leaves for the next."""
    assert {name: list(left_behind(tree)) for name, tree in TREES.items() if list(left_behind(tree))} == {
        STATE: ["hasattr(env, 'digits_kept')", "env.digits_kept"]
    }


@pytest.mark.parametrize(
    "code", ["app.edition = 1", "getattr(app, 'edition', None)", "app.env.look = 1", "del env.look"]
)
def test_state_on_the_application_is_noticed(code):
    assert list(left_behind(ast.parse(code)))


def test_the_book_loads_this_extension_and_no_module_of_it_by_itself():
    sphinx = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["sphinx"]
    assert [name for name in sphinx["extra_extensions"] if name.startswith(("tools", "helpers"))] == ["tools.extension"]
    assert "local_extensions" not in sphinx


# ---------------------------------------------------------------- the table


def test_every_handler_stands_once_and_those_with_state_take_it():
    assert len(HANDLERS) == len(set(HANDLERS)) and set(HANDLERS) >= extension.NEED_STATE
    for handler in HANDLERS:
        first = handler.__code__.co_varnames[0]
        assert first == ("build" if handler in extension.NEED_STATE else "app"), handler


def test_handlers_are_connected_in_the_order_of_the_table():
    calls = []
    app = SimpleNamespace(connect=lambda event, handler, priority: calls.append((event, handler, priority)))
    known = state.Build()
    extension.connect(app, known)
    assert [(event, priority) for event, _, priority in calls] == [
        (event, priority) for event, priority, handlers in extension.EVENTS for _ in handlers
    ]
    bare = [handler.func if isinstance(handler, partial) else handler for _, handler, _ in calls]
    assert bare == HANDLERS
    assert all(handler.args == (known,) for _, handler, _ in calls if isinstance(handler, partial))


def test_rows_of_an_event_stand_in_the_order_in_which_sphinx_calls_them():
    for event in {event for event, _, _ in extension.EVENTS}:
        priorities = [priority for name, priority, _ in extension.EVENTS if name == event]
        assert priorities == sorted(set(priorities)), event


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ("settle", "describe_build"),  # the footer names the edition
        ("note_parts", "bring"),  # else the drawing page's scripts would be on every page
        ("bring", "choose_parts"),
        ("install_packages", "begin"),  # formulas need the packages
        ("write_copies", "finish_build"),
        ("write_files", "finish_build"),
    ],
)
def test_what_depends_on_another_comes_after_it(first, then):
    names = [handler.__name__ for handler in HANDLERS]
    assert names.index(first) < names.index(then)


def test_the_early_row_comes_before_sphinx_reads_what_it_changes(tmp_path):
    """Sphinx turns html_css_files into its own form at a priority of its own; ours must come before."""
    (tmp_path / "conf.py").write_text("")
    app = Sphinx(tmp_path, tmp_path, tmp_path / "out", tmp_path / "trees", "html", status=None, warning=None)
    theirs = {
        listener.handler.__name__: listener.priority
        for listener in app.events.listeners["config-inited"]
        if listener.handler.__module__ == "sphinx.builders.html"
    }
    early = next(priority for _, priority, handlers in extension.EVENTS if page.write in handlers)
    assert early < theirs["convert_html_css_files"] and early < theirs["validate_html_static_path"]


def test_what_a_build_leaves_is_there_in_the_next(tmp_path):
    env = SimpleNamespace()
    assert state.kept(env) == {}
    state.kept(env)["look"] = "a"
    assert state.kept(env) == {"look": "a"}
    found = build.stamp(SimpleNamespace(env=env), "chapters/one", source := ["{}"])
    assert found is None and source == ["{}"], "a page without a fingerprint stays as it is"
    state.kept(env)["fingerprints"] = {"chapters/one": "0123"}
    source = ['{"metadata": {}}']
    build.stamp(SimpleNamespace(env=env), "chapters/one", source)
    assert '"fingerprint": "0123"' in source[0]

"""axe on every page in both modes, on one page of each kind at two widths (make test-site ALL=yes: on every page); no page
scrolls sideways at either width; the keyboard; reduced motion."""

import pytest
from site_pages import ALL_PAGES, KINDS, THOROUGH

CHAPTER = "chapters/training"
WIDTHS = (1280, 360)
# What stands folded on a page is tested as well.
UNFOLD = """() => {
  for (const one of document.querySelectorAll('details')) one.open = true;
  for (const one of document.querySelectorAll('.toggle-button[aria-expanded="false"]')) one.click();
}"""
AXE = """async () => {
  const found = await axe.run(document, {resultTypes: ['violations', 'passes']});
  const problems = found.violations.flatMap(rule => rule.nodes.map(node => `${rule.id}: ${node.html.slice(0, 200)}: ${node.failureSummary}`));
  return {problems, passed: found.passes.length};
}"""


@pytest.fixture(scope="session")
def axe(node_modules):
    """axe-core's script."""
    return (node_modules / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("name", ALL_PAGES)
def test_axe_finds_nothing_and_the_page_does_not_scroll_sideways(visit, axe, measured, name, mode):
    page = visit(name, mode=mode).page
    page.evaluate(UNFOLD)
    page.evaluate(axe)
    problems = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        page.wait_for_timeout(400)  # scripts answer to a new width after 300 ms
        if width == WIDTHS[0] or name in KINDS or THOROUGH:
            result = page.evaluate(AXE)
            assert result["passed"] > 10, "axe looked at nothing"
            problems += [f"{width} px: {one}" for one in result["problems"]]
        wide = page.evaluate("document.documentElement.scrollWidth")
        if wide > width:
            problems.append(f"{width} px: the page is {wide} pixels wide")
    measured(name, **{f"axe {mode}": len(problems)})
    assert not problems, "\n".join(problems)


def drawing(page):
    """The drawing page in use: an answer, what went wrong, and a network in training."""
    page.wait_for_selector("#draw:not([hidden])")
    page.click("#draw-samples button:text-is('3')")
    page.click("#draw-meant button:text-is('5')")
    page.click("#draw-train-load")
    page.wait_for_selector("#draw-train:not([hidden])")
    page.click("#train-step")
    page.wait_for_function("document.getElementById('draw-train').dataset.steps === '1'")


def searching(page):
    """A search that found something."""
    page.wait_for_selector("#search-results li a", timeout=20_000)


def asking(page):
    """The search's dialog, open."""
    page.keyboard.press("Control+k")
    page.locator("#pst-search-dialog").wait_for(state="visible")


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize(
    ("name", "use"),
    [("draw", drawing), ("search?q=overfitting", searching), ("glossary", asking)],
    ids=["drawing", "searching", "asking"],
)
def test_axe_finds_nothing_on_a_page_in_use(visit, axe, name, use, mode):
    page = visit(name, mode=mode).page
    use(page)
    page.evaluate(axe)
    problems = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        page.wait_for_timeout(400)
        problems += [f"{width} px: {one}" for one in page.evaluate(AXE)["problems"]]
        wide = page.evaluate("document.documentElement.scrollWidth")
        if wide > width:
            problems.append(f"{width} px: the page is {wide} pixels wide")
    assert not problems, "\n".join(problems)


def test_axe_notices_a_fault(visit, axe):
    page = visit("references").page
    page.evaluate(axe)
    page.evaluate(
        "document.querySelector('article').insertAdjacentHTML('beforeend', '<img src=\"x.png\"><button></button>')"
    )
    found = " ".join(page.evaluate(AXE)["problems"])
    assert "image-alt" in found and "button-name" in found


# ---------------------------------------------------------------- keyboard


def press_until(page, condition, key="Tab", most=80):
    """Press a key until ``condition`` (JavaScript) holds; returns how often, and fails if it never does."""
    for count in range(1, most + 1):
        page.keyboard.press(key)
        if page.evaluate(condition):
            return count
    raise AssertionError(f"{most} times {key}, and never {condition}")


def focused(selector):
    """JavaScript that says whether the focus is on what ``selector`` names."""
    return f"document.activeElement !== null && document.activeElement.matches({selector!r})"


def focus_ring(page):
    """Return whether what has the focus shows it: an outline, a shadow or a border that differs from before."""
    return page.evaluate("""() => {
      const style = getComputedStyle(document.activeElement);
      return (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 1) || style.boxShadow !== 'none';
    }""")


def test_the_skip_link_comes_first_and_leads_to_the_text(visit):
    page = visit(CHAPTER).page
    page.keyboard.press("Tab")
    assert page.evaluate(focused("a[href='#main-content']"))
    page.wait_for_function(
        "document.activeElement.getBoundingClientRect().top >= 0", timeout=3000
    )  # it slides into sight
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.querySelector('#main-content').contains(document.activeElement)")


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_tab_reaches_search_contents_and_mode_switch_and_shows_where_it_is(visit, mode):
    page = visit("intro", mode=mode, reduced_motion="reduce").page  # so that nothing is still sliding into sight
    wanted = {
        "search": ".search-button-field, .search-button",
        "contents": "nav.bd-docs-nav a",
        "mode": ".theme-switch-button",
        "text": "article a",
        "page contents": ".bd-sidebar-secondary a",
    }
    reached, unseen = set(), []
    for _ in range(250):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement === document.body"):
            break
        reached |= {name for name, selector in wanted.items() if page.evaluate(focused(selector))}
        box = page.evaluate("""() => {
          const element = document.activeElement, box = element.getBoundingClientRect();
          const shown = box.width > 0 && box.height > 0 && box.bottom > 0 && box.top < innerHeight;
          return [shown, element.outerHTML.slice(0, 150)];
        }""")
        if not box[0] or not focus_ring(page):
            unseen.append(box[1])
    assert reached == set(wanted)
    assert unseen == []


def test_the_mode_switch_works_by_keyboard_and_is_remembered(visit):
    seen = visit("intro")
    page = seen.page
    page.locator(".theme-switch-button:visible").first.focus()
    modes = []
    for _ in range(4):  # the focus must stay where it is
        page.keyboard.press("Enter")
        modes.append(page.evaluate("document.documentElement.dataset.mode"))
    assert sorted(modes[:3]) == ["auto", "dark", "light"] and modes[3] == "dark"
    seen.go("glossary")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_the_search_opens_and_closes_by_keyboard(visit):
    page = visit("intro").page
    page.locator(".search-button-field:visible, .search-button:visible").first.focus()
    page.keyboard.press("Enter")
    dialog = page.locator("#pst-search-dialog")
    dialog.wait_for(state="visible")
    assert page.evaluate(focused("input[type=search]"))
    page.keyboard.press("Escape")
    dialog.wait_for(state="hidden")
    page.keyboard.press("Control+k")
    dialog.wait_for(state="visible")
    page.keyboard.type("overfitting")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search.html?q=overfitting*")


@pytest.mark.parametrize("side", ["primary", "secondary"])
def test_a_drawer_opens_and_closes_by_keyboard_on_a_phone(visit, side):
    page = visit(CHAPTER, width=360).page
    button = page.locator(f".{side}-toggle:visible").first
    dialog = page.locator(f"#pst-{side}-sidebar-modal")
    button.focus()
    page.keyboard.press("Enter")
    dialog.wait_for(state="visible")
    press_until(page, f"document.activeElement.matches('#pst-{side}-sidebar-modal a')")
    page.keyboard.press("Escape")
    dialog.wait_for(state="hidden")
    button.focus()
    page.keyboard.press("Enter")
    dialog.wait_for(state="visible")
    press_until(page, f"document.activeElement.matches('#pst-{side}-sidebar-modal a[href]')")
    before = page.url
    page.keyboard.press("Enter")
    page.wait_for_function("before => location.href !== before", arg=before)


def test_a_solution_opens_and_closes_by_keyboard(visit):
    page = visit(CHAPTER).page
    button = page.locator(".solution.dropdown button, details.toggle-details summary").first
    content = page.locator(".solution.dropdown > :not(.admonition-title), details.toggle-details > :not(summary)").first
    assert not content.is_visible()
    button.focus()
    for key, shown in (("Enter", True), ("Space", False), ("Enter", True)):
        page.keyboard.press(key)
        page.wait_for_timeout(300)
        assert content.is_visible() == shown, f"after {key}"
        assert button.get_attribute("aria-expanded") in {str(shown).lower(), None}


@pytest.mark.parametrize("kind", ["pre", "table"])
def test_what_is_too_wide_scrolls_inside_itself_and_by_keyboard(visit, kind):
    page = visit("chapters/mlp_architecture", width=360).page
    page.wait_for_timeout(400)
    wide = page.evaluate_handle(
        """kind => [...document.querySelectorAll('article [tabindex="0"]')].find(
             one => one.scrollWidth > one.clientWidth + 20 && (one.matches(kind) || one.querySelector(kind)))""",
        kind,
    ).as_element()
    assert wide is not None, f"nothing wide that holds a {kind} can be reached"
    wide.focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    page.wait_for_function("one => one.scrollLeft > 0", arg=wide)


# ---------------------------------------------------------------- motion

MOVES = """() => [...document.querySelectorAll('*')].flatMap(one => ['', '::before', '::after'].flatMap(part => {
  const style = getComputedStyle(one, part || null);
  const seconds = text => Math.max(...text.split(',').map(parseFloat));
  const moves = seconds(style.transitionDuration) > 0 || (style.animationName !== 'none' && seconds(style.animationDuration) > 0) ||
    style.scrollBehavior === 'smooth';
  return moves ? [one.outerHTML.slice(0, 100) + part] : [];
}))"""


@pytest.mark.parametrize("name", ALL_PAGES)
def test_nothing_moves_for_readers_who_ask_for_that(visit, name):
    assert visit(name, reduced_motion="reduce").page.evaluate(MOVES) == []


def test_something_would_move_otherwise(visit):
    assert visit("intro", reduced_motion="no-preference").page.evaluate(MOVES)

/* What scrolls inside the page can be reached by the Tab key, and says what it is; what fits needs no stop. */
(function () {
  'use strict';

  const SCROLLERS = 'pre, .katex-display, .pst-scrollable-table-container, .cell_output > .output';

  function describe(element) {
    if (element.querySelector('table')) return 'Table, scrolls sideways';
    if (element.matches('.katex-display')) return 'Formula, scrolls sideways';
    return 'Code or output, scrolls sideways';
  }

  function update(element) {
    const scrolls = element.scrollWidth > element.clientWidth + 1 || element.scrollHeight > element.clientHeight + 1;
    const style = getComputedStyle(element);
    if (scrolls && (style.overflowX !== 'visible' || style.overflowY !== 'visible')) {
      element.tabIndex = 0;
      element.setAttribute('role', 'group');
      element.setAttribute('aria-label', describe(element));
    } else if (element.hasAttribute('tabindex')) {
      element.removeAttribute('tabindex');
      element.removeAttribute('role');
      element.removeAttribute('aria-label');
    }
  }

  function start() {
    const elements = document.querySelectorAll(SCROLLERS);
    // An observer speaks up at the start, when the window changes, and when folded text opens.
    const observer = new ResizeObserver(function (entries) {
      for (const entry of entries) update(entry.target);
    });
    for (const element of elements) observer.observe(element);
  }

  // The theme takes the focus from its buttons when they are pressed, so that their tooltips go. Who pressed the button by
  // keyboard would start again from the top of the page: for them (detail is 0) it stays.
  document.addEventListener('click', function (event) {
    const button = event.target.closest('.theme-switch-button, .search-button, .primary-toggle, .secondary-toggle');
    if (!button) return;
    if (event.detail === 0) button.blur = function () {};
    else delete button.blur;
  }, true);

  if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', start);
  else start();
})();

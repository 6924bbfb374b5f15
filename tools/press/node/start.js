// What starts on every page besides the theme's script. First the parts of Bootstrap that the pages use, and the theme's own start of
// them: the theme's file brings all of Bootstrap.
import Dropdown from 'bootstrap/js/dist/dropdown';
import Tooltip from 'bootstrap/js/dist/tooltip';

window.bootstrap = {Dropdown, Tooltip};

for (const element of document.querySelectorAll('[data-bs-toggle="tooltip"]')) {
  new Tooltip(element, {delay: {show: 500, hide: 100}});
}

// "Back to top" shows while a reader who has gone down the page scrolls up.
const top = document.getElementById('pst-back-to-top');
if (top) {
  let before = window.scrollY;
  top.addEventListener('click', () => window.scrollTo(0, 0));
  window.addEventListener('scroll', () => {
    const header = document.querySelector('.bd-header');
    const below = header ? header.getBoundingClientRect().bottom : 0;
    top.style.display = before > window.scrollY && window.scrollY > below ? 'block' : 'none';
    before = window.scrollY;
  }, {passive: true});
}

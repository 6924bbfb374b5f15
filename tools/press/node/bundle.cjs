'use strict';
// Makes the site's style sheets and its script for tools/press/finish_site.py. Reads one JSON job from its input:
//   pages    paths of all HTML pages
//   scripts  paths of scripts that pages load by themselves; names of classes in them are kept
//   styles   {name: [paths]}: each list becomes one style sheet
//   script   [{path} or {body}]: these become the site's script, in this order
//   folder   where the sheets will lie: what is too large to stand in a sheet is named relative to it
// and writes {styles: {name: text}, script: text}.
const fs = require('node:fs');
const path = require('node:path');
const {pathToFileURL, fileURLToPath} = require('node:url');
const esbuild = require('esbuild');
const {PurgeCSS} = require('purgecss');
const subsetFont = require('subset-font');

const INLINE = 8000; // bytes: a picture up to this size stands in the style sheet
const TAG = /<[a-zA-Z](?:"[^"]*"|'[^']*'|[^'">])*>/g;
const WORD = /[A-Za-z0-9_-]+/g;
const PRIVATE_USE = /[\ue000-\uf8ff]/g;
// Set while a page is used: by the theme's scripts, by Bootstrap's dropdown and tooltip, by the browser.
const SET_LATER = {
  standard: ['show', 'fade', 'collapse', 'collapsing', 'active', 'disabled', 'hide', 'scrolled', 'noprint', 'onlyprint', 'modal-open',
    'dropdown-menu-dark', /^tooltip/, /^bs-tooltip/, /^pst-/, /^highlight/, 'search', 'searchresults', 'context', 'kindOccurrences'],
  greedy: [/data-theme/, /data-mode/, /data-(bs-)?popper/, /\[open\]/],
};

/** The words that a page's tags are made of: element names, classes, identifiers, attributes; and all words of its own scripts. */
function wordsOfPage(html) {
  const scripts = [...html.matchAll(/<script(?![^>]*\bsrc=)[^>]*>([\s\S]*?)<\/script>/g)].map((found) => found[1]);
  return [...(html.match(TAG) || []), ...scripts].join(' ').match(WORD) || [];
}

/** Which class, in KaTeX's style sheet, asks for which face; what none of them holds stands in KaTeX_Main-Regular. */
const FACES = {
  'KaTeX_Math-Italic': /\b(mathnormal|mathdefault)\b/, 'KaTeX_Math-BoldItalic': /\bboldsymbol\b/,
  'KaTeX_Main-Italic': /\b(textit|mathit)\b/, 'KaTeX_Main-Bold': /\b(textbf|mathbf)\b/, 'KaTeX_Main-BoldItalic': /\b(textbf|mathbf)\b/,
  'KaTeX_AMS-Regular': /\b(amsrm|mathbb|textbb)\b/, 'KaTeX_Caligraphic-Regular': /\bmathcal\b/, 'KaTeX_Caligraphic-Bold': /\bmathcal\b/,
  'KaTeX_Fraktur-Regular': /\b(mathfrak|textfrak|mathboldfrak)\b/, 'KaTeX_Fraktur-Bold': /\bmathboldfrak\b/,
  'KaTeX_Script-Regular': /\b(mathscr|textscr)\b/, 'KaTeX_Typewriter-Regular': /\b(mathtt|texttt)\b/,
  'KaTeX_SansSerif-Regular': /\b(mathsf|textsf)\b/, 'KaTeX_SansSerif-Bold': /\bmathboldsf\b/, 'KaTeX_SansSerif-Italic': /\b(mathsfit|mathitsf)\b/,
  'KaTeX_Size1-Regular': /\b(size1|small-op|delim-size1)\b/, 'KaTeX_Size2-Regular': /\b(size2|large-op)\b/,
  'KaTeX_Size3-Regular': /\bsize3\b/, 'KaTeX_Size4-Regular': /\b(size4|delim-size4)\b/,
};
const ENTITIES = {lt: '<', gt: '>', amp: '&', quot: '"'};

/** Adds what a reader sees of a page's formulas (the text inside span.katex-html) to sets of characters, one for each face. */
function collectFormulas(html, seen) {
  for (const part of html.split('<span class="katex-html"').slice(1)) {
    const classes = [''];
    for (const [piece] of part.slice(part.indexOf('>') + 1).matchAll(/<[^>]*>|[^<]+/g)) {
      if (piece.startsWith('</span')) classes.pop();
      else if (piece.startsWith('<span')) classes.push((piece.match(/class="([^"]*)"/) || ['', ''])[1]);
      else if (!piece.startsWith('<')) {
        const text = piece.replace(/&#x([0-9a-f]+);/gi, (_, code) => String.fromCodePoint(parseInt(code, 16)))
          .replace(/&(lt|gt|amp|quot);/g, (_, name) => ENTITIES[name]);
        const near = classes.findLast((names) => Object.values(FACES).some((pattern) => pattern.test(names)));
        const faces = Object.keys(FACES).filter((face) => near !== undefined && FACES[face].test(near));
        for (const face of faces.length ? faces : ['KaTeX_Main-Regular']) {
          seen[face] ??= new Set();
          for (const character of text) seen[face].add(character);
        }
      }
      if (!classes.length) break;
    }
  }
}

/** A style sheet's text with what it imports, and with the addresses in it made absolute, so that it can be joined with others. */
function read(file) {
  return fs.readFileSync(file, 'utf8')
    .replace(/@import\s+(?:url\()?["']([^"')]+)["']\)?\s*;/g, (_, address) => read(path.resolve(path.dirname(file), address.split(/[?#]/)[0])))
    .replace(/url\(\s*(["']?)(?!data:|#|[a-z]+:)([^"')]+)\1\s*\)/g,
    (_, quote, address) => `url("${new URL(address.split(/[?#]/)[0], pathToFileURL(file))}")`);
}

/** The characters that a face has to draw: those of formulas for KaTeX's, icons for the others; none where it is not used. */
function charactersOf(file, formulas, icons, used) {
  const face = path.basename(file, '.woff2');
  if (face.startsWith('KaTeX_')) return formulas[face] || new Set();
  if (face.startsWith('fa-regular') && !used.has('fa-regular')) return new Set();
  if (face.startsWith('fa-brands') && !used.has('fa-brands')) return new Set();
  return icons;
}

/** Each @font-face with a data address of only the characters that it has to draw; without those that have none. */
async function embedFonts(css, formulas, icons, used) {
  const faces = css.match(/@font-face\s*\{[^}]*\}/g) || [];
  const made = await Promise.all(faces.map(async (face) => {
    const address = face.match(/url\("?(file:[^")]+\.woff2)"?\)/);
    if (!address) return face;
    const file = fileURLToPath(address[1]);
    const characters = charactersOf(file, formulas, icons, used);
    if (!characters.size) return '';
    const font = await subsetFont(fs.readFileSync(file), [...characters].join(''),
      {targetFormat: 'woff2', noHinting: true, keepFeatures: []});
    const data = `src: url("data:font/woff2;base64,${font.toString('base64')}") format("woff2")`;
    return face.replace(/src:[^;}]*/, () => data);
  }));
  faces.forEach((face, i) => { css = css.replace(face, () => made[i]); });
  return css;
}

const TYPES = {'.svg': 'image/svg+xml', '.png': 'image/png', '.webp': 'image/webp', '.gif': 'image/gif'};

/** Small pictures as data addresses, others as addresses relative to the folder of the style sheet. */
function embedPictures(css, folder) {
  return css.replace(/url\("?(file:[^")]+)"?\)/g, (_, address) => {
    const file = fileURLToPath(address);
    const type = TYPES[path.extname(file)];
    if (!fs.existsSync(file)) return 'none';
    if (type && fs.statSync(file).size <= INLINE) return `url("data:${type};base64,${fs.readFileSync(file).toString('base64')}")`;
    return `url("${path.relative(folder, file).split(path.sep).join('/')}")`;
  });
}

async function makeStyles(job) {
  const pages = job.pages.map((file) => fs.readFileSync(file, 'utf8'));
  const used = new Set(pages.flatMap(wordsOfPage));
  for (const file of job.scripts) for (const word of fs.readFileSync(file, 'utf8').match(WORD) || []) used.add(word);
  const icons = new Set(pages.flatMap((page) => page.match(PRIVATE_USE) || []));
  const formulas = {};
  for (const page of pages) collectFormulas(page, formulas);
  const made = {};
  for (const [name, files] of Object.entries(job.styles)) {
    const raw = files.map(read).join('\n');
    const [{css}] = await new PurgeCSS().purge({
      content: [{raw: [...used].join(' '), extension: 'txt'}],
      css: [{raw}],
      defaultExtractor: (text) => text.split(' '),
      fontFace: true, keyframes: true, variables: true,
      safelist: SET_LATER,
    });
    const codes = [...css.matchAll(/\\([0-9a-f]{4,5})/gi)].map((found) => String.fromCodePoint(parseInt(found[1], 16)));
    const drawn = new Set([...icons, ...codes, ...(css.match(PRIVATE_USE) || [])]);
    const whole = embedPictures(await embedFonts(css, formulas, drawn, used), job.folder);
    made[name] = (await esbuild.transform(whole, {loader: 'css', minify: true, legalComments: 'inline', target: ['es2020']})).code;
  }
  return made;
}

async function makeScript(job) {
  const parts = [];
  for (const part of job.script) {
    if (part.bundle) {
      const {outputFiles} = await esbuild.build({
        entryPoints: [part.bundle], bundle: true, format: 'iife', minify: true, write: false, legalComments: 'inline',
        define: {'process.env.NODE_ENV': '"production"'},
      });
      parts.push(outputFiles[0].text);
    } else {
      const text = part.body ?? fs.readFileSync(part.path, 'utf8').replace(/\/\/# sourceMappingURL=.*/g, '');
      // Each part alone, not bundled: what one declares for all scripts of the page stays declared under its name.
      parts.push((await esbuild.transform(text, {loader: 'js', minify: true, legalComments: 'inline', target: ['es2020']})).code);
    }
  }
  // The empty statement first: one part's 'use strict' at the very start would hold for all of them.
  return ';' + parts.map((part) => part.trim().replace(/;*$/, ';')).join('\n');
}

(async () => {
  const job = JSON.parse(fs.readFileSync(0, 'utf8'));
  process.stdout.write(JSON.stringify({styles: await makeStyles(job), script: await makeScript(job)}));
})().catch((error) => { console.error(error.stack || error); process.exit(1); });

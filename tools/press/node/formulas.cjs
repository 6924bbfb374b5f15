'use strict';
// Renders formulas for tools/press/build_time_math.py. Each line of input is a JSON object {tex, display}; each line of output is
// {html} or, where KaTeX refuses the formula, {error}. Ends with its input.
const readline = require('node:readline');
const katex = require('katex');

function render({tex, display}) {
  try {
    // htmlAndMathml: what is seen, and beside it MathML for screen readers.
    return {html: katex.renderToString(tex, {
      displayMode: display, output: 'htmlAndMathml', throwOnError: true, strict: 'error', trust: false,
    })};
  } catch (error) {
    return {error: error.message};
  }
}

readline.createInterface({input: process.stdin}).on('line', (line) => {
  process.stdout.write(JSON.stringify(render(JSON.parse(line))) + '\n');
});

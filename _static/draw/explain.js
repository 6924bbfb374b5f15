// "What went wrong?": measures of a digit, and sentences made from them. Everything said here is computed from the drawing.
'use strict';

(function () {
  const SIDE = 28;
  const OUTLINE = 0.3;  // a pixel with more ink than this belongs to the digit when its size is measured
  const TURNS = [-10, 10, -20, 20, -30, 30, -45, 45, -90, 90];  // degrees, tried in this order

  // What tools/draw/page.py measures of MNIST's digits (its function measure), of one image of 784 numbers; null without ink.
  function measure(image) {
    const at = (row, column) => row < 0 || column < 0 || row >= SIDE || column >= SIDE ? 0 : image[row * SIDE + column];
    let [mass, x, y, left, right, top, bottom, outline] = [0, 0, 0, SIDE, -1, SIDE, -1, 0];
    for (let row = -1; row < SIDE; row++) {
      for (let column = -1; column < SIDE; column++) {
        const ink = at(row, column);
        outline += Math.hypot(at(row + 1, column) - ink, at(row, column + 1) - ink);
        mass += ink;
        x += ink * (column + 0.5);
        y += ink * (row + 0.5);
        if (ink > OUTLINE) {
          [left, right] = [Math.min(left, column), Math.max(right, column)];
          [top, bottom] = [Math.min(top, row), Math.max(bottom, row)];
        }
      }
    }
    if (mass === 0) return null;
    [x, y] = [x / mass, y / mass];
    let [across, along] = [0, 0];
    for (let row = 0; row < SIDE; row++) {
      for (let column = 0; column < SIDE; column++) {
        const dy = row + 0.5 - y;
        across += at(row, column) * (column + 0.5 - x) * dy;
        along += at(row, column) * dy * dy;
      }
    }
    return {
      right: x - SIDE / 2,
      down: y - SIDE / 2,
      size: right < 0 ? 0 : Math.max(right - left, bottom - top) + 1,
      stroke: 2 * mass / outline,
      slant: -Math.atan2(across, along) * 180 / Math.PI,
    };
  }

  const percent = (share) => `${(100 * share).toFixed(1)}%`;
  const number = (value) => value.toFixed(1).replace('-', '−');
  const pixels = (value) => `${value.toFixed(1)} pixels`;
  const ranked = (result) => Array.from(result.probabilities.keys())
    .sort((a, b) => result.probabilities[b] - result.probabilities[a]);
  const reading = (result) => `${result.digit}, confidence ${percent(result.confidence)}${result.unsure ? ', unsure' : ''}`;

  // The sentence that comes first.
  function verdict(result, meant) {
    const place = ranked(result).indexOf(meant) + 1;
    if (place === 1 && !result.unsure) {
      return `You meant ${meant}, and the network reads ${meant} (${percent(result.confidence)}). Nothing went wrong here.`;
    }
    if (place === 1) {
      return `You meant ${meant}. The network reads ${meant} too, but it is unsure: ${percent(result.confidence)}.`;
    }
    const order = ['', 'first', 'second', 'third', 'fourth', 'fifth', 'sixth', 'seventh', 'eighth', 'ninth', 'last'][place];
    return `You meant ${meant}. The network reads ${reading(result)}; your ${meant} comes ${order} of the ten, ` +
      `with a probability of ${percent(result.probabilities[meant])}.`;
  }

  function competition(result, meant) {
    const [first, second] = ranked(result);
    const odds = result.probabilities[first] / Math.max(result.probabilities[second], 1e-12);
    const lead = odds < 10 ? odds.toFixed(1) : odds < 1000 ? odds.toFixed(0) : 'more than a thousand';
    let text = `The two digits that compete are ${first} (${percent(result.probabilities[first])}) and ${second} ` +
      `(${percent(result.probabilities[second])}): odds of ${lead} to 1.`;
    if (meant !== first && meant !== second) text += ` Your ${meant} is not among them.`;
    return text;
  }

  // One sentence for a measure: the drawing's value, and what nine in ten of MNIST's images of that digit lie between.
  function compared(name, value, digit, unit, low, high) {
    const [from, , to] = window.DigitsTypical.measures[name][digit];
    const range = to - from < 0.1 ? `nearly all of MNIST's ${digit}s have ${number(from)}`
      : `nine in ten of MNIST's ${digit}s lie between ${number(from)} and ${number(to)}`;
    const verdict = Math.abs(value - from) < 0.05 ? 'Yours is like that.' : value < from ? `Yours is ${low}.` : value > to ? `Yours is ${high}.` : 'Yours is within that.';
    return {odd: value < from || value > to, text: `${number(value)} ${unit}; ${range}. ${verdict}`};
  }

  function shape(seen, raw, meant, centred) {
    const found = measure(seen);
    const before = measure(raw);
    if (!found || !before) return [];
    const parts = [];
    const off = (one) => {
      const words = [];
      if (Math.abs(one.right) >= 0.5) words.push(`${pixels(Math.abs(one.right))} to the ${one.right > 0 ? 'right' : 'left'}`);
      if (Math.abs(one.down) >= 0.5) words.push(`${pixels(Math.abs(one.down))} too ${one.down > 0 ? 'low' : 'high'}`);
      return words.join(' and ');
    };
    if (centred) {
      parts.push({title: 'Place', odd: false, text: off(before)
        ? `your ink's centre of mass lies ${off(before)} on the canvas, counted in the network's pixels. Centring has put that right.`
        : 'your ink lies in the middle of the canvas.'});
    } else {
      const far = Math.hypot(found.right, found.down);
      parts.push({title: 'Place', odd: far > 1.5, text: off(found)
        ? `your ink's centre of mass lies ${off(found)}, and nothing moves it: centring is off. MNIST's digits are all centred.`
        : 'your ink lies in the middle, where MNIST\'s digits lie.'});
    }
    const list = [
      ['Size', 'size', 'pixels on its longer side', 'smaller than nearly all of them', 'larger than nearly all of them'],
      ['Stroke width', 'stroke', 'pixels (estimated)', 'thinner than nearly all of them', 'thicker than nearly all of them'],
      ['Slant', 'slant', 'degrees to the right', 'leaning further to the left', 'leaning further to the right'],
    ];
    for (const [title, name, unit, low, high] of list) {
      parts.push({title, ...compared(name, found[name], meant, unit, low, high)});
    }
    return parts;
  }

  // What single changes would make of it. `read(change)` computes the answer under {centre, pen, network, turn}.
  function changes(now, meant, settings, read) {
    const tried = [];
    const add = (what, change) => tried.push({what, result: read(change)});
    add(settings.centre ? 'without centring' : 'with centring', {centre: !settings.centre});
    const other = settings.pen === 'thick' ? 'thin' : 'thick';
    add(`with ${other} strokes`, {pen: other});
    for (const [key, network] of Object.entries(settings.networks)) {
      if (key !== settings.network) add(`by the network "${network.title}"`, {network: key});
    }
    if (now.digit !== meant || now.unsure) {
      for (const turn of TURNS) {
        const result = read({turn});
        if (result.digit === meant && !result.unsure) {
          tried.push({what: `turned by ${Math.abs(turn)} degrees ${turn > 0 ? 'clockwise' : 'anticlockwise'}`, result});
          break;
        }
        if (turn === TURNS[TURNS.length - 1]) {
          tried.push({what: 'turned by up to a quarter, in steps', text: `never read as a sure ${meant}`, right: false});
        }
      }
    }
    return tried.map(({what, result, text, right}) => ({
      title: what,
      right: result ? result.digit === meant : right,
      text: text || `${reading(result)}${result.digit === meant ? ': right' : ': wrong'}`,
    }));
  }

  function unseen(parts) {
    const odd = parts.filter((part) => part.odd).map((part) => part.title.toLowerCase());
    const start = odd.length
      ? `Most unlike what the network learnt from: ${odd.join(', ')}.`
      : 'In place, size, stroke width and slant your drawing is like what the network learnt from. What remains is its shape, ' +
        'and for that this page has no measure.';
    return `${start} It has learnt from upright, complete digits only, none of them lying down or mirrored. ` +
      'Bars, feet and loops that are rare in MNIST are rare for it, and it must answer with one of ten digits whatever you draw.';
  }

  window.DigitsExplain = {measure, verdict, competition, shape, changes, unseen, percent, ranked};
})();

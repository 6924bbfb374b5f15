// The drawing page: takes strokes, shows what the network makes of them, and explains.
// Needs prepare.js, network.js, networks.js, typical.js, samples.js and explain.js; loads train.js and digits.js when asked.
'use strict';

(function () {
  const SIDE = 280;  // the canvas of the strokes, whatever its size on the screen
  const PEN = {thick: 22, thin: 10};
  const PAUSE = 700;  // milliseconds without a change before a screen reader is told
  const FOLDER = document.currentScript.src.replace(/[^/]*$/, '');
  const {percent, ranked} = window.DigitsExplain;
  const find = (id) => document.getElementById(id);
  const app = find('draw');

  const networks = {};  // key -> network, in the order of the options
  const state = {
    strokes: [],      // lists of points [x, y]
    history: [],      // what `strokes` was before each change, for undo
    pointer: null,    // the pointer that is drawing
    meant: null,      // the digit that the reader says was meant
    image: null, result: null,
  };

  // ---------------------------------------------------------------- from strokes to an answer

  const raster = document.createElement('canvas');
  raster.width = raster.height = SIDE;
  const rasterContext = raster.getContext('2d', {willReadFrequently: true});

  function paint(context, strokes, width) {
    context.lineWidth = width;
    context.lineCap = context.lineJoin = 'round';
    for (const points of strokes) {
      context.beginPath();
      if (points.every(([x, y]) => x === points[0][0] && y === points[0][1])) {
        context.arc(points[0][0], points[0][1], width / 2, 0, 2 * Math.PI);  // a tap: a dot
        context.fill();
      } else {
        points.forEach(([x, y], i) => (i ? context.lineTo(x, y) : context.moveTo(x, y)));
        context.stroke();
      }
    }
  }

  // The ink of strokes: Float32Array of 280 * 280, 0 for paper to 1 for ink.
  function inkOf(strokes, width) {
    rasterContext.clearRect(0, 0, SIDE, SIDE);
    paint(rasterContext, strokes, width);
    const {data} = rasterContext.getImageData(0, 0, SIDE, SIDE);
    const ink = new Float32Array(SIDE * SIDE);
    for (let i = 0; i < ink.length; i++) ink[i] = data[4 * i + 3] / 255;
    return ink;
  }

  const settings = () => ({
    centre: find('draw-centre').checked, pen: find('draw-pen').value, network: find('draw-network').value, networks, turn: 0,
  });

  function imageOf(strokes, {centre, pen}) {
    return window.DigitsPrepare.prepare(inkOf(strokes, PEN[pen]), SIDE, SIDE, {centre});
  }

  // The answer under other settings than those of now: {centre, pen, network, turn in degrees}.
  function readChanged(change) {
    const wanted = {...settings(), ...change};
    const strokes = wanted.turn ? turned(state.strokes, wanted.turn) : state.strokes;
    return networks[wanted.network].predict(imageOf(strokes, wanted));
  }

  // Turned about the middle of the drawing's box, and made smaller where it would leave the canvas.
  function turned(strokes, turn) {
    const box = (list) => [0, 1].map((axis) => {
      const values = list.flat().map((point) => point[axis]);
      return [Math.min(...values), Math.max(...values)];
    });
    const [[left, right], [top, bottom]] = box(strokes);
    const middle = {right: 140 - (left + right) / 2, down: 140 - (top + bottom) / 2};
    const moved = strokes.map((points) => points.map(([x, y]) => [x + middle.right, y + middle.down]));
    const result = window.DigitsSamples.changed(moved, {turn});
    const reach = Math.max(...box(result).flat().map((value) => Math.abs(value - 140)));
    return window.DigitsSamples.changed(result, {scale: Math.min(1, 125 / reach)});
  }

  // ---------------------------------------------------------------- showing

  function colours() {
    const style = getComputedStyle(app);
    const rgb = (name) => style.getPropertyValue(name).trim().match(/[0-9a-f]{2}/gi).map((pair) => parseInt(pair, 16));
    return {ink: rgb('--draw-ink'), paper: rgb('--draw-paper'), active: rgb('--draw-active'),
      negative: rgb('--draw-negative'), idle: rgb('--draw-idle')};
  }
  let colour = colours();
  const css = ([r, g, b]) => `rgb(${r} ${g} ${b})`;
  const mix = (from, to, share) => from.map((value, i) => Math.round(value + (to[i] - value) * share));

  const canvas = find('draw-canvas');
  function showStrokes() {
    const scale = Math.max(1, Math.round((window.devicePixelRatio || 1) * canvas.clientWidth) / SIDE);
    const side = Math.round(SIDE * scale);
    if (canvas.width !== side) canvas.width = canvas.height = side;
    const context = canvas.getContext('2d');
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, side, side);
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.strokeStyle = context.fillStyle = css(colour.ink);
    paint(context, state.strokes, PEN[find('draw-pen').value]);
    const count = state.strokes.length;
    canvas.setAttribute('aria-label', count
      ? `Drawing area with ${count} ${count === 1 ? 'stroke' : 'strokes'}` : 'Drawing area, empty');
  }

  // Writes `count` pixels; shade(i) is the i-th pixel's place between the colours, from 0 to 1. Mixes each of 256 shades once.
  function fillPixels(data, count, from, to, shade) {
    const ramp = Array.from({length: 256}, (_, level) => mix(from, to, level / 255));
    for (let i = 0; i < count; i++) {
      const [r, g, b] = ramp[Math.round(255 * Math.min(Math.max(shade(i), 0), 1))];
      data[4 * i] = r;
      data[4 * i + 1] = g;
      data[4 * i + 2] = b;
      data[4 * i + 3] = 255;
    }
  }

  // An image of 28 x 28 numbers from 0 to 1, one pixel of the canvas each.
  function showImage(target, image) {
    const context = target.getContext('2d');
    const pixels = context.createImageData(28, 28);
    fillPixels(pixels.data, 784, colour.paper, colour.ink, (i) => (image ? image[i] : 0));
    context.putImageData(pixels, 0, 0);
  }

  function describeImage(image) {
    const found = image && window.DigitsExplain.measure(image);
    if (!found) return 'The image that the network sees: empty.';
    const inked = image.filter((value) => value > 0).length;
    const off = (value, more, less) => (Math.abs(value) < 0.5 ? '' : ` ${Math.abs(value).toFixed(1)} pixels ${value > 0 ? more : less}`);
    const place = (off(found.right, 'to the right', 'to the left') + off(found.down, 'too low', 'too high')).trim();
    return `The image that the network sees: ${inked} of 784 pixels hold ink, the digit is ${found.size} pixels on its longer side, ` +
      `and its centre of mass lies ${place || 'in the middle'}.`;
  }

  // The activations of one hidden layer as cells, 16 to a row; a unit at zero is drawn hollow.
  function showLayer(target, values) {
    const [columns, cell] = [16, 18];
    const rows = Math.ceil(values.length / columns);
    if (target.width !== columns * cell || target.height !== rows * cell) {
      [target.width, target.height] = [columns * cell, rows * cell];
    }
    const top = values.reduce((a, b) => Math.max(a, b), 1e-9);
    const context = target.getContext('2d');
    context.clearRect(0, 0, target.width, target.height);
    values.forEach((value, i) => {
      const [x, y] = [(i % columns) * cell + 1.5, Math.floor(i / columns) * cell + 1.5];
      context.strokeStyle = css(colour.idle);
      context.strokeRect(x, y, cell - 3, cell - 3);
      if (value > 0) {
        context.fillStyle = css(mix(colour.paper, colour.active, 0.25 + 0.75 * value / top));
        context.fillRect(x - 0.5, y - 0.5, cell - 2, cell - 2);
      }
    });
  }

  function showLayers(result) {
    const place = find('draw-layers');
    const layers = result ? result.hidden : emptyLayers();
    while (place.children.length > layers.length) place.lastChild.remove();
    while (place.children.length < layers.length) {
      const layer = document.createElement('div');
      layer.className = 'draw-layer';
      layer.innerHTML = '<p class="draw-caption"></p><canvas role="img"></canvas>';
      place.append(layer);
    }
    layers.forEach((values, i) => {
      const [caption, picture] = place.children[i].children;
      const zeros = values.filter((value) => value <= 0).length;
      const text = result ? `Hidden layer ${i + 1}: ${values.length} units, ${zeros} of them at zero`
        : `Hidden layer ${i + 1}: ${values.length} units`;
      caption.textContent = text;
      picture.setAttribute('aria-label', `${text}. One cell for each unit: the fuller its colour, the larger its activation.`);
      showLayer(picture, values);
    });
  }

  // Layers of the right sizes without activity, for the time before the first stroke.
  function emptyLayers() {
    const hidden = networks[find('draw-network').value].predict(new Float32Array(784)).hidden;
    return hidden.map((values) => new Float32Array(values.length));
  }

  function showBars(result) {
    const order = result ? ranked(result) : [];
    Array.from(find('draw-bars').children).forEach((row, digit) => {
      const share = result ? result.probabilities[digit] : 0;
      row.querySelector('.draw-bar').style.setProperty('--share', share);
      row.querySelector('.draw-share').textContent = result ? percent(share) : '–';
      row.classList.toggle('draw-first', order[0] === digit);
    });
  }

  function whyUnsure(result) {
    const network = networks[find('draw-network').value];
    const [, second] = ranked(result);
    return `Its calibrated confidence, ${percent(result.confidence)}, is below ${percent(network.threshold)}, the least that this ` +
      `page calls sure. Second guess: ${second} (${percent(result.probabilities[second])}).`;
  }

  function showAnswer(result) {
    const answer = find('draw-answer');
    answer.dataset.digit = result ? result.digit : '';
    answer.dataset.confidence = result ? result.confidence.toFixed(4) : '';
    answer.dataset.unsure = result ? String(result.unsure) : '';
    find('draw-digit').textContent = result ? result.digit : '?';
    find('draw-mark').textContent = !result ? '' : result.unsure ? 'unsure' : 'sure';
    find('draw-why').textContent = !result ? 'Draw a digit, or choose one below the drawing area.'
      : result.unsure ? whyUnsure(result) : `Calibrated confidence: ${percent(result.confidence)}.`;
  }

  function showAbout() {
    const network = networks[find('draw-network').value];
    find('draw-about').textContent = network.about || aboutRecorded(network);
  }

  // What its record knows of a network: MNIST's test images, and the drawings on which the bound of "unsure" was chosen.
  function aboutRecorded({accuracy, development}) {
    const share = (count) => `${(100 * count / development.drawings).toFixed(1)}%`;
    return `Measured accuracy on MNIST's 10,000 test images: ${(100 * accuracy).toFixed(2)}%. Of the ` +
      `${development.drawings.toLocaleString('en')} drawings with which "unsure" was settled, it read ${share(development.right)} right and was unsure of ${share(development.unsure)}.`;
  }

  // ---------------------------------------------------------------- explaining

  function listOf(items) {
    return items.map(({title, text, mark}) => {
      const item = document.createElement('li');
      const strong = document.createElement('strong');
      strong.textContent = `${title}: `;
      item.append(strong, text);
      if (mark) item.className = mark;
      return item;
    });
  }

  function showExplanation() {
    const {result, meant} = state;
    for (const button of find('draw-meant').querySelectorAll('button')) {
      button.setAttribute('aria-pressed', String(Number(button.value) === meant));
    }
    const ready = result && meant !== null;
    find('draw-explanation').hidden = !ready;
    find('draw-verdict').textContent = ready ? window.DigitsExplain.verdict(result, meant)
      : result ? 'Say which digit you meant.' : 'Draw something first, or choose the lying 6 among the awkward digits.';
    if (!ready) return;
    const now = settings();
    const whole = window.DigitsPrepare.prepare(inkOf(state.strokes, PEN[now.pen]), SIDE, SIDE, {centre: false});
    const parts = window.DigitsExplain.shape(state.image, whole, meant, now.centre);
    find('draw-competition').textContent = window.DigitsExplain.competition(result, meant);
    find('draw-shape').replaceChildren(...listOf(parts.map((part) => ({...part, mark: part.odd ? 'draw-odd' : ''}))));
    find('draw-changes').replaceChildren(...listOf(window.DigitsExplain.changes(result, meant, now, readChanged)
      .map((one) => ({...one, title: one.title[0].toUpperCase() + one.title.slice(1)}))));
    find('draw-unseen').textContent = window.DigitsExplain.unseen(parts);
  }

  // ---------------------------------------------------------------- one update for everything

  let announcing = 0;
  function announce(text) {
    clearTimeout(announcing);
    announcing = setTimeout(() => { find('draw-announce').textContent = text; }, PAUSE);
  }

  function spoken(result) {
    if (!result) return 'The drawing area is empty.';
    const [, second] = ranked(result);
    return result.unsure
      ? `Unsure: perhaps ${result.digit}, confidence ${percent(result.confidence)}. Second guess ${second}.`
      : `The network reads ${result.digit}, confidence ${percent(result.confidence)}.`;
  }

  function showResult(result) {
    state.result = result;
    showBars(result);
    showAnswer(result);
    showLayers(result);
  }

  // Reads the drawing and shows all that follows from it. While the pen is down, what is only for afterwards waits.
  function update() {
    const drawing = state.pointer !== null;
    const now = settings();
    state.image = state.strokes.length ? imageOf(state.strokes, now) : null;
    state.result = state.image ? networks[now.network].predict(state.image) : null;
    showStrokes();
    showImage(find('draw-seen'), state.image);
    showResult(state.result);
    if (drawing) return;
    find('draw-seen').setAttribute('aria-label', describeImage(state.image));
    find('draw-undo').disabled = !state.history.length;
    find('draw-clear').disabled = !state.strokes.length;
    showAbout();
    showExplanation();
    announce(state.meant !== null && state.result
      ? window.DigitsExplain.verdict(state.result, state.meant) : spoken(state.result));
  }

  let waiting = false;
  function updateSoon() {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      if (state.pointer !== null) update();
    });
  }

  // ---------------------------------------------------------------- changing the drawing

  function replace(strokes, meant = null) {
    state.history.push({strokes: state.strokes, meant: state.meant});
    [state.strokes, state.meant] = [strokes, meant];
  }

  function pointOf(event) {
    const box = canvas.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width * SIDE, (event.clientY - box.top) / box.height * SIDE];
  }

  canvas.addEventListener('pointerdown', (event) => {
    if (state.pointer !== null || event.button !== 0) return;
    event.preventDefault();  // no text selection, no dragging
    canvas.setPointerCapture(event.pointerId);
    state.pointer = event.pointerId;
    replace([...state.strokes, [pointOf(event)]], state.strokes.length ? state.meant : null);
    updateSoon();
  });
  canvas.addEventListener('pointermove', (event) => {
    if (event.pointerId !== state.pointer) return;
    const events = event.getCoalescedEvents ? event.getCoalescedEvents() : [];
    for (const one of events.length ? events : [event]) state.strokes[state.strokes.length - 1].push(pointOf(one));
    updateSoon();
  });
  for (const name of ['pointerup', 'pointercancel']) {
    canvas.addEventListener(name, (event) => {
      if (event.pointerId !== state.pointer) return;
      if (name === 'pointerup') state.strokes[state.strokes.length - 1].push(pointOf(event));
      state.pointer = null;
      update();
    });
  }

  find('draw-undo').addEventListener('click', () => {
    if (!state.history.length) return;
    Object.assign(state, state.history.pop());
    update();
    if (find('draw-undo').disabled) keepFocus();
  });
  find('draw-clear').addEventListener('click', () => {
    replace([]);
    update();
    keepFocus();
  });
  // A button that disables itself would throw a keyboard's focus away.
  function keepFocus() {
    if (document.activeElement === document.body || document.activeElement.disabled) find('draw-pen').focus();
  }
  app.addEventListener('keydown', (event) => {
    if ((event.ctrlKey || event.metaKey) && !event.shiftKey && event.key.toLowerCase() === 'z') {
      event.preventDefault();
      find('draw-undo').click();
    }
  });
  for (const id of ['draw-pen', 'draw-centre', 'draw-network']) find(id).addEventListener('change', () => update());

  for (const [place, samples] of [['draw-samples', window.DigitsSamples.plain], ['draw-awkward', window.DigitsSamples.awkward]]) {
    for (const sample of samples) {
      const button = document.createElement('button');
      button.type = 'button';
      button.textContent = sample.name;
      if (place === 'draw-samples') button.setAttribute('aria-label', `Sample ${sample.name}`);
      button.addEventListener('click', () => {
        replace(sample.strokes.map((points) => points.slice()), sample.digit);
        update();
      });
      find(place).append(button);
    }
  }
  for (let digit = 0; digit < 10; digit++) {
    const button = document.createElement('button');
    button.type = 'button';
    button.value = button.textContent = digit;
    button.addEventListener('click', () => {
      state.meant = state.meant === digit ? null : digit;
      update();
    });
    find('draw-meant').append(button);
    const row = document.createElement('li');
    row.innerHTML = `<span class="draw-name">${digit}</span><span class="draw-bar" aria-hidden="true"></span>` +
      '<span class="draw-share">–</span>';
    find('draw-bars').append(row);
  }

  // ---------------------------------------------------------------- networks, and training one

  const titleOf = (network) => `${network.title} (${(100 * network.accuracy).toFixed(1)}% right)`;

  // Adds a network to the choice, or puts a newer one in its place. While that one is still changing, explanations wait.
  function addNetwork(key, network, settled = true) {
    let option = Array.from(find('draw-network').options).find((one) => one.value === key);
    if (!option) {
      option = new Option('', key);
      find('draw-network').add(option);
    }
    networks[key] = network;
    option.textContent = titleOf(network);
    if (state.pointer !== null) return;
    const chosen = find('draw-network').value === key;
    if (chosen && settled) update();
    else if (settled) showExplanation();
    else if (chosen && state.image) showResult(network.predict(state.image));
  }

  function load(name) {
    return new Promise((resolve, reject) => {
      const script = document.createElement('script');
      script.src = FOLDER + name;
      script.onload = resolve;
      script.onerror = () => reject(new Error(`${name} could not be loaded. Reload the page; if that does not help, build the site again.`));
      document.head.append(script);
    });
  }

  find('draw-train-load').addEventListener('click', async () => {
    const button = find('draw-train-load');
    const note = find('draw-train-note');
    button.disabled = true;
    note.textContent = 'Loading 5,000 digits …';
    try {
      await Promise.all([load('digits.js'), load('train.js')]);
      await window.DigitsTrain.start();
      note.textContent = '';
      find('draw-train').hidden = false;
      button.hidden = true;
      find('train-run').focus();
    } catch (error) {
      note.textContent = error.message;
      button.disabled = false;
    }
  });

  // ---------------------------------------------------------------- start

  window.DigitsDraw = {
    addNetwork, colours: () => colour, css, mix,
    now: () => ({image: state.image, result: state.result}),
    threshold: () => networks[find('draw-network').options[0].value].threshold,
  };

  const problem = !window.DigitsNetworks || !window.DigitsNetwork || !window.DigitsPrepare;
  if (problem) {
    app.textContent = 'The networks of this page are missing. Build the site again: make book.';
    app.hidden = false;
    return;
  }
  for (const [key, record] of Object.entries(window.DigitsNetworks)) networks[key] = window.DigitsNetwork.decode(record);
  for (const [key, network] of Object.entries(networks)) {
    find('draw-network').add(new Option(titleOf(network), key, key === 'augmented', key === 'augmented'));
  }
  app.hidden = false;

  function recolour() {
    colour = colours();
    update();
    window.dispatchEvent(new Event('draw-colours'));
  }
  new MutationObserver(recolour).observe(document.documentElement, {attributes: true, attributeFilter: ['data-theme']});
  window.addEventListener('resize', showStrokes);
  window.addEventListener('pageshow', () => { if (state.pointer === null) update(); });  // a browser may bring old settings back
  recolour();
})();

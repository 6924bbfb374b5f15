// Training a small network in the page: 784 inputs, one hidden layer with ReLU, ten outputs with softmax, Adam. Loaded when asked for.
'use strict';

(function () {
  // All that computes stands in this function. The worker gets its text; the tests call it here and compare it with Keras.
  function mathematics() {
    const [PIXELS, CLASSES] = [784, 10];
    const [BETA1, BETA2, EPSILON] = [0.9, 0.999, 1e-7];  // Adam's settings in Keras

    // A generator of numbers from 0 to 1 that gives the same ones for the same seed (mulberry32).
    function random(seed) {
      return () => {
        seed = (seed + 0x6D2B79F5) | 0;
        let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
        t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
        return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
      };
    }

    // Weights as Keras keeps them: a matrix (inputs, outputs), row after row, then the biases; for both layers.
    function create(hidden, seed) {
      const next = random(seed);
      const glorot = (inputs, outputs) => {
        const limit = Math.sqrt(6 / (inputs + outputs));
        return Float32Array.from({length: inputs * outputs}, () => (2 * next() - 1) * limit);
      };
      const weights = [glorot(PIXELS, hidden), new Float32Array(hidden), glorot(hidden, CLASSES), new Float32Array(CLASSES)];
      return fromWeights(weights);
    }

    function fromWeights(weights) {
      const zeros = () => weights.map((array) => new Float32Array(array.length));
      return {hidden: weights[1].length, weights, mean: zeros(), square: zeros(), gradient: zeros(), steps: 0};
    }

    // The forward pass for one image, which begins at `offset` of `images`. Skips pixels without ink.
    function forward(weights, images, offset, activation, logits) {
      const [w1, b1, w2, b2] = weights;
      const hidden = b1.length;
      activation.set(b1);
      for (let i = 0; i < PIXELS; i++) {
        const ink = images[offset + i];
        if (ink !== 0) for (let j = 0, at = i * hidden; j < hidden; j++) activation[j] += ink * w1[at + j];
      }
      logits.set(b2);
      for (let j = 0; j < hidden; j++) {
        if (activation[j] <= 0) activation[j] = 0;
        else for (let k = 0; k < CLASSES; k++) logits[k] += activation[j] * w2[j * CLASSES + k];
      }
    }

    // Logits, divided by a temperature, to probabilities.
    function softmax(logits, temperature = 1) {
      let [top, sum] = [-Infinity, 0];
      for (let k = 0; k < CLASSES; k++) top = Math.max(top, logits[k]);
      const shares = new Float64Array(CLASSES);
      for (let k = 0; k < CLASSES; k++) sum += shares[k] = Math.exp((logits[k] - top) / temperature);
      for (let k = 0; k < CLASSES; k++) shares[k] /= sum;
      return shares;
    }

    // One step of training on the images whose numbers stand in `batch`; returns the mean loss before the step.
    function step(network, images, labels, batch, rate) {
      const {hidden, weights, gradient} = network;
      const [g1, h1, g2, h2] = gradient;
      for (const array of gradient) array.fill(0);
      const [activation, logits, back] = [new Float64Array(hidden), new Float64Array(CLASSES), new Float64Array(hidden)];
      let loss = 0;
      for (const number of batch) {
        forward(weights, images, number * PIXELS, activation, logits);
        const error = softmax(logits);
        loss -= Math.log(Math.max(error[labels[number]], 1e-30));
        error[labels[number]] -= 1;  // the gradient of the loss with respect to the logits
        for (let k = 0; k < CLASSES; k++) h2[k] += error[k] / batch.length;
        for (let j = 0; j < hidden; j++) {
          back[j] = 0;
          if (activation[j] === 0) continue;  // ReLU lets no gradient through
          for (let k = 0; k < CLASSES; k++) {
            back[j] += error[k] * weights[2][j * CLASSES + k] / batch.length;
            g2[j * CLASSES + k] += error[k] * activation[j] / batch.length;
          }
          h1[j] += back[j];
        }
        for (let i = 0; i < PIXELS; i++) {
          const ink = images[number * PIXELS + i];
          if (ink !== 0) for (let j = 0, at = i * hidden; j < hidden; j++) g1[at + j] += ink * back[j];
        }
      }
      adam(network, rate);
      return loss / batch.length;
    }

    function adam(network, rate) {
      network.steps += 1;
      const size = rate * Math.sqrt(1 - BETA2 ** network.steps) / (1 - BETA1 ** network.steps);
      network.weights.forEach((weights, layer) => {
        const [gradient, mean, square] = [network.gradient[layer], network.mean[layer], network.square[layer]];
        for (let i = 0; i < weights.length; i++) {
          mean[i] += (gradient[i] - mean[i]) * (1 - BETA1);
          square[i] += (gradient[i] * gradient[i] - square[i]) * (1 - BETA2);
          weights[i] -= size * mean[i] / (Math.sqrt(square[i]) + EPSILON);
        }
      });
    }

    // Accuracy on the images `from` to `to`, and the temperature that calibrates the network best on them.
    function evaluate(weights, images, labels, from, to) {
      const activation = new Float64Array(weights[1].length);
      const all = [];
      let right = 0;
      for (let number = from; number < to; number++) {
        const logits = new Float64Array(CLASSES);
        forward(weights, images, number * PIXELS, activation, logits);
        if (logits.indexOf(Math.max(...logits)) === labels[number]) right += 1;
        all.push(logits);
      }
      let best = {temperature: 1, loss: Infinity};
      for (let power = -8; power <= 8; power++) {
        const temperature = 2 ** (power / 4);
        let loss = 0;
        all.forEach((logits, i) => { loss -= Math.log(Math.max(softmax(logits, temperature)[labels[from + i]], 1e-30)); });
        if (loss < best.loss) best = {temperature, loss};
      }
      return {accuracy: right / (to - from), temperature: best.temperature};
    }

    // The order of a new epoch: the numbers 0 to count - 1, shuffled.
    function shuffled(count, next) {
      const order = Uint32Array.from({length: count}, (_, i) => i);
      for (let i = count - 1; i > 0; i--) {
        const j = Math.floor(next() * (i + 1));
        [order[i], order[j]] = [order[j], order[i]];
      }
      return order;
    }

    // digits.js unpacked: base64, deflate, two pixels to a byte. Returns the images (0..1, one after the other) and labels.
    async function unpack(sample) {
      if (typeof DecompressionStream === 'undefined') {
        throw new Error('This browser cannot unpack the digits: training here needs one from 2023 or later.');
      }
      const packed = Uint8Array.from(atob(sample.images), (letter) => letter.charCodeAt(0));
      const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream('deflate'));
      const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
      const count = sample.train + sample.test;
      if (bytes.length * 2 !== count * PIXELS || sample.labels.length !== count) throw new Error('digits.js is damaged: build the site again.');
      const images = new Float32Array(bytes.length * 2);
      bytes.forEach((byte, i) => {
        images[2 * i] = Math.floor(byte / sample.levels) / (sample.levels - 1);
        images[2 * i + 1] = (byte % sample.levels) / (sample.levels - 1);
      });
      return {images, labels: Uint8Array.from(sample.labels, Number)};
    }

    return {PIXELS, CLASSES, random, create, fromWeights, forward, softmax, step, evaluate, shuffled, unpack};
  }

  // What runs in the worker: trains in short turns, so that messages get through, and reports a few times a second.
  function worker(maths) {
    const [TURN, REPORT, PATIENCE, LOOK, EPOCHS] = [20, 120, 100, 50, 40];  // ms, ms, ms a step in slow motion, steps, epochs in one go
    const options = {hidden: 32, rate: 0.001, batch: 32, slow: false, seed: 1};
    let [digits, sample, network, next, order, at, running, losses, looks, looked, reported, spent, until] = [];

    function reset() {
      next = maths.random(options.seed);
      network = maths.create(options.hidden, options.seed);
      [order, at, running, losses, looks, reported, spent, until] = [maths.shuffled(sample.train, next), 0, false, [], [], 0, 0, EPOCHS];
      network.epoch = 0;
      network.seen = 0;
      look();
    }

    function look() {
      const found = maths.evaluate(network.weights, digits.images, digits.labels, sample.train, sample.train + sample.test);
      network.temperature = found.temperature;
      looks.push([network.steps, found.accuracy]);
      looked = network.steps;
    }

    function one() {
      if (at >= order.length) {
        [order, at] = [maths.shuffled(sample.train, next), 0];
        network.epoch += 1;
      }
      const batch = order.subarray(at, at + options.batch);
      at += batch.length;
      network.seen += batch.length;
      const loss = maths.step(network, digits.images, digits.labels, batch, options.rate);
      losses.push([network.steps, loss]);
      if (network.steps % LOOK === 0) look();
      return Number.isFinite(loss) && network.weights[3].every(Number.isFinite);
    }

    function report(message) {
      if (!running && looked !== network.steps) look();  // what stands still shows the accuracy of these very weights
      reported = performance.now();
      postMessage({
        type: 'state', running, message, steps: network.steps, seen: network.seen, seconds: spent / 1000,
        losses, looks, weights: network.weights.map((array) => array.slice()), temperature: network.temperature,
      });
      [losses, looks] = [[], []];
    }

    function turn() {
      if (!running) return;
      const started = performance.now();
      let healthy = true;
      do healthy = one(); while (healthy && !options.slow && performance.now() - started < TURN);
      spent += performance.now() - started;
      if (!healthy || network.seen >= until * sample.train) {
        running = false;
        until = Math.floor(network.seen / sample.train) + EPOCHS;
        report(healthy ? 'pause' : 'diverged');
        return;
      }
      if (performance.now() - reported > REPORT) report();
      setTimeout(turn, options.slow ? PATIENCE : 0);
    }

    const commands = {
      async data(message) {
        sample = message.sample;
        digits = await maths.unpack(sample);
        reset();
        report('ready');
      },
      set(message) { Object.assign(options, message.options); },
      start() {
        if (running) return;
        running = true;
        report();
        turn();
      },
      pause() {
        running = false;
        report();
      },
      step() {
        running = false;
        report(one() ? undefined : 'diverged');
      },
      reset() {
        reset();
        report('reset');
      },
    };
    onmessage = async (event) => {
      try {
        await commands[event.data.type](event.data);
      } catch (error) {
        postMessage({type: 'error', message: error.message});
      }
    };
  }

  // ---------------------------------------------------------------- in the page

  const find = (id) => document.getElementById(id);
  const maths = mathematics();
  const PICTURES = 400;  // milliseconds between two pictures of the weights
  const view = {losses: [], looks: [], weights: null, running: false, reached: null, pictured: 0};
  let thread = null;

  // A trained network with the same interface as those of network.js.
  function networkOf({weights, temperature, accuracy, threshold}) {
    return {
      title: 'the one trained here', accuracy, threshold, temperature,
      about: `Trained in this page. Accuracy on its 1,000 held-out images: ${(100 * accuracy).toFixed(1)}%.`,
      predict(image) {
        const [activation, logits] = [new Float32Array(weights[1].length), new Float32Array(10)];
        maths.forward(weights, image, 0, activation, logits);
        const probabilities = Float32Array.from(maths.softmax(logits));
        const digit = logits.indexOf(Math.max(...logits));
        const confidence = maths.softmax(logits, temperature)[digit];
        return {hidden: [activation], logits, probabilities, digit, confidence, unsure: confidence < threshold};
      },
    };
  }

  const send = (type, more) => thread.postMessage({type, ...more});
  const chosen = () => ({
    rate: Number(find('train-rate').value), batch: Number(find('train-batch').value), hidden: Number(find('train-hidden').value),
    slow: find('train-slow').checked,
  });

  let waiting = false;
  function receive(event) {
    const report = event.data;
    if (report.type === 'error') {
      find('train-status').textContent = report.message;
      return report;
    }
    if (report.message === 'reset' || report.message === 'ready') [view.losses, view.looks, view.reached] = [[], [], null];
    view.losses.push(...report.losses);
    view.looks.push(...report.looks);
    const goal = view.looks.find(([, accuracy]) => accuracy >= 0.9);
    if (goal && view.reached === null) view.reached = report.seconds;
    Object.assign(view, {weights: report.weights, temperature: report.temperature, running: report.running, report});
    if (!waiting) {
      waiting = true;
      requestAnimationFrame(() => {
        waiting = false;
        show();
      });
    }
    return report;
  }

  function show() {
    const {report, losses, looks} = view;
    const accuracy = looks.length ? looks[looks.length - 1][1] : 0;
    const recent = losses.slice(-50);
    const loss = recent.reduce((sum, [, value]) => sum + value, 0) / Math.max(recent.length, 1);
    find('train-run').textContent = view.running ? 'Pause' : 'Start';
    find('train-steps').textContent = report.steps.toLocaleString('en-GB');
    find('train-epochs').textContent = (report.seen / window.DigitsSample.train).toFixed(1);
    find('train-loss').textContent = losses.length ? loss.toFixed(3) : '–';
    find('train-accuracy').textContent = `${(100 * accuracy).toFixed(1)}%`;
    find('train-seconds').textContent = `${report.seconds.toFixed(1)} s`;
    const panel = find('draw-train');
    Object.assign(panel.dataset, {
      steps: report.steps, accuracy, running: view.running, seconds: report.seconds, reached: view.reached === null ? '' : view.reached,
    });
    drawCurve(find('train-losses'), bins(losses, 160), {low: 0, high: 3, format: (value) => value.toFixed(1)});
    drawCurve(find('train-accuracies'), bins(looks, 160), {low: 0, high: 1, format: (value) => `${100 * value}%`});
    find('train-losses').setAttribute('aria-label', losses.length
      ? `Loss over ${report.steps} steps: ${losses[0][1].toFixed(2)} at the first step, ${loss.toFixed(2)} now.` : 'Loss: no step yet.');
    find('train-accuracies').setAttribute('aria-label', `Accuracy on the held-out digits, now ${(100 * accuracy).toFixed(1)}%.`);
    if (!view.running || performance.now() - view.pictured > PICTURES) {
      drawWeights(find('train-weights'), view.weights[0], view.weights[1].length);
      view.pictured = performance.now();
    }
    say(report, loss, accuracy);
    if (report.steps) {
      window.DigitsDraw.addNetwork('trained', networkOf({...view, accuracy, threshold: window.DigitsDraw.threshold()}), !view.running);
    }
  }

  // The status line speaks when something begins, ends or goes wrong, not at every step.
  let said = '';
  function say(report, loss, accuracy) {
    let text = said;
    const numbers = `accuracy on the held-out digits ${(100 * accuracy).toFixed(1)}%, loss ${loss.toFixed(2)}`;
    if (report.message === 'diverged') text = 'The loss is no longer a number: the learning rate is too high. Reset, and choose a lower one.';
    else if (report.message === 'ready') text = 'The digits are here, and a network with random weights. Start it.';
    else if (report.message === 'reset') text = 'A new network with random weights.';
    else if (view.running) text = 'Training.';
    else if (report.message === 'pause') text = `Paused after 40 epochs in one go: ${numbers}. Start goes on.`;
    else text = `Paused after ${report.steps} steps: ${numbers}.`;
    if (text !== said) find('train-status').textContent = said = text;
  }

  // At most `count` points: the mean of those that fall together.
  function bins(points, count) {
    if (points.length <= count) return points;
    const size = points.length / count;
    return Array.from({length: count}, (_, i) => {
      const part = points.slice(Math.floor(i * size), Math.floor((i + 1) * size));
      return [0, 1].map((axis) => part.reduce((sum, point) => sum + point[axis], 0) / part.length);
    });
  }

  function drawCurve(canvas, points, {low, high, format}) {
    const ratio = Math.max(1, window.devicePixelRatio || 1);
    const [wide, tall, left, bottom, top] = [canvas.clientWidth || 300, 150, 42, 22, 8];
    [canvas.width, canvas.height] = [wide * ratio, tall * ratio];
    const context = canvas.getContext('2d');
    context.scale(ratio, ratio);
    const colour = window.DigitsDraw.colours();
    const {css} = window.DigitsDraw;
    const most = Math.max(points.length ? points[points.length - 1][0] : 0, 50);
    const x = (step) => left + (wide - left - 8) * step / most;
    const y = (value) => top + (tall - bottom - top) * (1 - (Math.min(Math.max(value, low), high) - low) / (high - low));
    context.font = '12px sans-serif';
    context.fillStyle = css(colour.ink);
    context.strokeStyle = css(colour.idle);
    context.textAlign = 'right';
    for (const share of [0, 0.5, 1]) {
      const value = low + share * (high - low);
      context.fillText(format(value), left - 6, y(value) + 4);
      context.beginPath();
      context.moveTo(left, y(value));
      context.lineTo(wide - 8, y(value));
      context.stroke();
    }
    context.fillText(`${Math.round(most).toLocaleString('en-GB')} steps`, wide - 8, tall - 6);
    context.strokeStyle = css(colour.active);
    context.lineWidth = 2;
    context.beginPath();
    points.forEach(([step, value], i) => (i ? context.lineTo(x(step), y(value)) : context.moveTo(x(step), y(value))));
    context.stroke();
  }

  // The first layer's weights, a tile of 28 x 28 for each hidden unit: one colour above zero, another below.
  function drawWeights(canvas, weights, hidden) {
    const [columns, tile] = [8, 30];
    const [wide, tall] = [columns * tile, Math.ceil(hidden / columns) * tile];
    if (canvas.width !== wide || canvas.height !== tall) [canvas.width, canvas.height] = [wide, tall];
    const context = canvas.getContext('2d');
    const {mix, colours} = window.DigitsDraw;
    const {paper, active, negative} = colours();
    // 511 colours, mixed once: from the one for -1 over paper to the one for 1.
    const ramp = Array.from({length: 511}, (_, i) => mix(paper, i > 255 ? active : negative, Math.abs(i - 255) / 255));
    const pixels = context.createImageData(28, 28);
    const {data} = pixels;
    for (let unit = 0; unit < hidden; unit++) {
      let most = 1e-9;
      for (let i = unit; i < weights.length; i += hidden) most = Math.max(most, Math.abs(weights[i]));
      for (let i = 0; i < 784; i++) {
        const [r, g, b] = ramp[255 + Math.round(255 * weights[i * hidden + unit] / most)] || paper;
        data[4 * i] = r;
        data[4 * i + 1] = g;
        data[4 * i + 2] = b;
        data[4 * i + 3] = 255;
      }
      context.putImageData(pixels, (unit % columns) * tile + 1, Math.floor(unit / columns) * tile + 1);
    }
    canvas.setAttribute('aria-label', `The weights of the first layer as ${hidden} pictures of 28 by 28, one for each hidden unit.`);
  }

  // Starts the worker, from a text, because a page opened from disk may not start one from a file.
  function start() {
    const text = `'use strict';\n(${worker})((${mathematics})());`;
    const address = URL.createObjectURL(new Blob([text], {type: 'text/javascript'}));
    thread = new Worker(address);
    return new Promise((resolve, reject) => {
      thread.onerror = (event) => reject(new Error(`Training cannot start in this browser: ${event.message || 'it allows no worker'}.`));
      thread.onmessage = (event) => {
        const report = receive(event);
        if (report.type === 'error') {
          reject(new Error(report.message));
          return;
        }
        thread.onmessage = receive;
        resolve();
      };
      send('set', {options: chosen()});
      send('data', {sample: window.DigitsSample});
    });
  }

  find('train-run').addEventListener('click', () => send(view.running ? 'pause' : 'start'));
  find('train-step').addEventListener('click', () => send('step'));
  find('train-reset').addEventListener('click', () => {
    send('set', {options: {...chosen(), seed: Math.floor(Math.random() * 2 ** 31)}});
    send('reset');
  });
  for (const id of ['train-rate', 'train-batch', 'train-slow']) {
    find(id).addEventListener('change', () => {
      const {rate, batch, slow} = chosen();
      send('set', {options: {rate, batch, slow}});
    });
  }
  find('train-hidden').addEventListener('change', () => {
    send('set', {options: chosen()});
    send('reset');
  });
  window.addEventListener('draw-colours', () => { if (view.report) show(); });
  window.addEventListener('resize', () => { if (view.report && !find('draw-train').hidden) show(); });

  window.DigitsTrain = {maths, start, networkOf};
})();

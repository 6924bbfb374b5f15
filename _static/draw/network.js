// A trained network from its record (data/page_models), computed by hand: dense layers, ReLU, softmax. The numbers
// agree with those of Keras holding the same rounded weights; tests see to it.
'use strict';

(function (root) {
  function bytesOf(text) {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  }

  // Float32 numbers that are stored little-endian, whatever this machine's own order is.
  function floatsOf(text) {
    const view = new DataView(bytesOf(text).buffer);
    return Float32Array.from({length: view.byteLength / 4}, (_, i) => view.getFloat32(4 * i, true));
  }

  function decodeDense(layer) {
    const {inputs, outputs} = layer;
    const levels = new Int8Array(bytesOf(layer.weights).buffer);
    const scales = floatsOf(layer.scales);
    const biases = floatsOf(layer.biases);
    if (levels.length !== inputs * outputs || scales.length !== outputs || biases.length !== outputs) {
      throw new RangeError(`a layer of ${inputs} x ${outputs} has weights, scales or biases of another size`);
    }
    const weights = Float32Array.from(levels, (level, i) => level * scales[i % outputs]);
    return function (input) {
      const sums = Float64Array.from(biases);
      for (let i = 0; i < inputs; i++) {
        const value = input[i];
        if (value === 0) continue; // most pixels are paper
        for (let j = 0, at = i * outputs; j < outputs; j++, at++) sums[j] += value * weights[at];
      }
      if (layer.activation === 'relu') {
        for (let j = 0; j < outputs; j++) if (sums[j] < 0) sums[j] = 0;
      }
      return Float32Array.from(sums);
    };
  }

  // One decoder for each type of layer; a record with another type is refused.
  const DECODERS = {dense: decodeDense};

  function softmax(logits, temperature) {
    const largest = Math.max(...logits);
    const powers = Array.from(logits, (logit) => Math.exp((logit - largest) / temperature));
    const sum = powers.reduce((a, b) => a + b, 0);
    return Float32Array.from(powers, (power) => power / sum);
  }

  function decode(record) {
    const layers = record.layers.map((layer) => {
      if (!(layer.type in DECODERS)) throw new TypeError(`${record.name}: no layer of the type ${layer.type} is known`);
      return DECODERS[layer.type](layer);
    });
    const {name, title, accuracy, temperature, threshold, development} = record;

    // image: Float32Array(784) in 0..1, as DigitsPrepare.prepare returns it.
    // hidden: the outputs of the hidden layers; probabilities: softmax of the logits; confidence: the largest
    // probability after the logits were divided by the temperature; unsure: is that below the threshold?
    function predict(image) {
      if (!image || image.length !== record.layers[0].inputs) {
        throw new RangeError(`an image has ${record.layers[0].inputs} values, not ${image && image.length}`);
      }
      const outputs = [];
      let values = image;
      for (const layer of layers) {
        values = layer(values);
        outputs.push(values);
      }
      const logits = outputs.pop();
      const digit = logits.indexOf(Math.max(...logits));
      const confidence = softmax(logits, temperature)[digit];
      const probabilities = softmax(logits, 1);
      return {hidden: outputs, logits, probabilities, digit, confidence, unsure: !(confidence >= threshold)};
    }
    return {name, title, accuracy, temperature, threshold, development, predict};
  }

  root.DigitsNetwork = {decode};
})(globalThis);

// From a drawing to the 28 x 28 image that a network sees: the same steps as prepare_drawing in helpers/drawing.py,
// where they are explained. Tests hold the two together.
'use strict';

(function (root) {
  const SIDE = 28;
  const BOX = 20;
  const NUDGE = 1e-6;

  // For each of `targets` equal parts of start..start + length: the pixels it touches and their shares.
  function boxWeights(pixels, start, length, targets) {
    const step = length / targets;
    const parts = [];
    for (let i = 0; i < targets; i++) {
      const left = start + step * i;
      const right = left + step;
      const part = [];
      for (let j = Math.max(0, Math.floor(left)); j < Math.min(pixels, Math.ceil(right)); j++) {
        const share = Math.min(right, j + 1) - Math.max(left, j);
        if (share > 0) part.push([j, share / step]);
      }
      parts.push(part);
    }
    return parts;
  }

  // Averages over parts of the rows and then of the columns: Float64Array(targets * targets).
  function resample(ink, width, rows, columns) {
    const n = rows.length;
    const across = new Float64Array(width);
    const result = new Float64Array(n * n);
    for (let r = 0; r < n; r++) {
      across.fill(0);
      for (const [y, share] of rows[r]) {
        for (let x = 0; x < width; x++) across[x] += share * ink[y * width + x];
      }
      for (let c = 0; c < n; c++) {
        let sum = 0;
        for (const [x, share] of columns[c]) sum += share * across[x];
        result[r * n + c] = sum;
      }
    }
    return result;
  }

  function boundingBox(ink, width, height) {
    let top = height, bottom = 0, left = width, right = 0;
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        if (ink[y * width + x] > 0) {
          if (y < top) top = y;
          bottom = y + 1;
          if (x < left) left = x;
          if (x + 1 > right) right = x + 1;
        }
      }
    }
    return bottom ? {top, bottom, left, right} : null;
  }

  // Where the box goes along one axis so that its centre of mass lies within pixel 14, but no ink is lost.
  function placeOf(along) {
    let mass = 0, moment = 0;
    for (let i = 0; i < BOX; i++) {
      mass += along[i];
      moment += along[i] * (i + 0.5);
    }
    return Math.min(Math.max(SIDE / 2 - Math.floor(moment / mass + NUDGE), 0), SIDE - BOX);
  }

  // ink: Float32Array (0 paper to 1 ink) or Uint8ClampedArray (0 to 255), width * height values, row after row.
  // Returns Float32Array(784) in 0..1. {centre: false} only scales the whole canvas.
  function prepare(ink, width, height, options) {
    const centre = !options || options.centre !== false;
    if (!(Number.isInteger(width) && Number.isInteger(height) && width > 0 && height > 0)) {
      throw new RangeError(`a drawing has a width and a height of whole pixels, not ${width} and ${height}`);
    }
    if (!ink || ink.length !== width * height) {
      throw new RangeError(`a drawing of ${width} x ${height} has ${width * height} values, not ${ink && ink.length}`);
    }
    const bytes = ink instanceof Uint8ClampedArray || ink instanceof Uint8Array;
    if (!bytes && !(ink instanceof Float32Array || ink instanceof Float64Array)) {
      throw new TypeError('a drawing is a Float32Array (0 to 1) or a Uint8ClampedArray (0 to 255)');
    }
    const values = new Float64Array(ink.length);
    for (let i = 0; i < ink.length; i++) {
      const value = bytes ? ink[i] / 255 : ink[i];
      if (!(value >= 0 && value <= 1)) {
        throw new RangeError(`a drawing of floats holds numbers from 0 (paper) to 1 (ink), not ${value}`);
      }
      values[i] = value;
    }

    if (!centre) {
      const side = Math.max(width, height);
      const rows = boxWeights(height, (height - side) / 2, side, SIDE);
      const columns = boxWeights(width, (width - side) / 2, side, SIDE);
      return Float32Array.from(resample(values, width, rows, columns), (value) => Math.min(value, 1));
    }
    const image = new Float32Array(SIDE * SIDE);
    const found = boundingBox(values, width, height);
    if (!found) return image;
    const side = Math.max(found.bottom - found.top, found.right - found.left);
    const rows = boxWeights(height, (found.top + found.bottom - side) / 2, side, BOX);
    const columns = boxWeights(width, (found.left + found.right - side) / 2, side, BOX);
    const box = resample(values, width, rows, columns);
    let largest = 0;
    for (const value of box) largest = Math.max(largest, value);
    const down = new Float64Array(BOX);
    const across = new Float64Array(BOX);
    for (let r = 0; r < BOX; r++) {
      for (let c = 0; c < BOX; c++) {
        const value = box[r * BOX + c] /= largest;
        down[r] += value;
        across[c] += value;
      }
    }
    const top = placeOf(down), left = placeOf(across);
    for (let r = 0; r < BOX; r++) {
      for (let c = 0; c < BOX; c++) image[(top + r) * SIDE + left + c] = Math.min(box[r * BOX + c], 1);
    }
    return image;
  }

  root.DigitsPrepare = {prepare, SIDE, BOX};
})(globalThis);

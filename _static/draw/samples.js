// Digits to choose instead of drawing: strokes, made for this page. A stroke is a list of points on the canvas of 280 by 280.
'use strict';

(function () {
  // A smooth curve through the given points (a Catmull-Rom spline), as a list of points close to each other.
  function curve(...points) {
    const smooth = [points[0]];
    for (let i = 0; i + 1 < points.length; i++) {
      const before = points[Math.max(i - 1, 0)];
      const [from, to] = [points[i], points[i + 1]];
      const after = points[Math.min(i + 2, points.length - 1)];
      for (let step = 1; step <= 8; step++) {
        const t = step / 8;
        smooth.push([0, 1].map((axis) => 0.5 * (2 * from[axis] + (to[axis] - before[axis]) * t +
          (2 * before[axis] - 5 * from[axis] + 4 * to[axis] - after[axis]) * t * t +
          (3 * from[axis] - before[axis] - 3 * to[axis] + after[axis]) * t * t * t)));
      }
    }
    return smooth;
  }

  const line = (...points) => points;

  const digits = [
    [curve([146, 52], [102, 74], [86, 138], [98, 202], [140, 228], [180, 204], [194, 142], [182, 80], [146, 52])],
    [line([114, 92], [148, 56], [142, 226])],
    [[...curve([92, 98], [104, 66], [140, 52], [176, 68], [184, 104], [164, 142], [128, 182], [88, 222]), [196, 220]]],
    [[...curve([94, 76], [128, 54], [168, 62], [180, 94], [160, 124], [126, 136]),
      ...curve([126, 136], [168, 146], [188, 180], [170, 216], [128, 230], [90, 210])]],
    [line([104, 58], [86, 148], [196, 144]), line([176, 66], [164, 230])],
    [[[182, 58], [110, 60], ...curve([100, 128], [140, 114], [180, 132], [188, 172], [168, 212], [128, 226], [92, 208])]],
    [curve([166, 54], [124, 88], [98, 140], [94, 190], [120, 226], [160, 224], [182, 192], [170, 160], [136, 152], [100, 176])],
    [line([86, 66], [190, 62], [128, 228])],
    [curve([178, 84], [146, 56], [108, 72], [108, 106], [142, 136], [178, 168], [180, 206], [142, 230], [104, 210], [104, 170],
      [140, 138], [174, 110], [178, 84])],
    [[...curve([182, 92], [152, 60], [114, 68], [98, 104], [118, 138], [154, 134], [182, 92]), [174, 150], [160, 228]]],
  ];

  // The strokes turned by an angle (degrees, clockwise) about the middle of the canvas, scaled, and moved.
  function changed(strokes, {turn = 0, scale = 1, right = 0, down = 0}) {
    const [sine, cosine] = [Math.sin(turn * Math.PI / 180), Math.cos(turn * Math.PI / 180)];
    return strokes.map((points) => points.map(([x, y]) => {
      const [dx, dy] = [(x - 140) * scale, (y - 140) * scale];
      return [140 + right + dx * cosine - dy * sine, 140 + down + dx * sine + dy * cosine];
    }));
  }

  window.DigitsSamples = {
    changed,
    plain: digits.map((strokes, digit) => ({name: String(digit), digit, strokes})),
    awkward: [
      {name: '7 with a bar', digit: 7, strokes: [...digits[7], line([112, 146], [192, 142])]},
      {name: '1 with a foot', digit: 1, strokes: [...digits[1], line([92, 228], [192, 226])]},
      {name: '4, closed', digit: 4, strokes: [line([158, 54], [84, 168], [204, 168]), line([158, 54], [158, 230])]},
      {name: '3, small, in a corner', digit: 3, strokes: changed(digits[3], {scale: 0.42, right: -76, down: -76})},
      {name: '2, leaning over', digit: 2, strokes: changed(digits[2], {turn: 48, scale: 0.9})},
      {name: '6, lying down', digit: 6, strokes: changed(digits[6], {turn: 90, scale: 0.9})},
    ],
  };
})();

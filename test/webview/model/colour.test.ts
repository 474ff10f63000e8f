import assert from 'node:assert/strict';
import { test } from 'node:test';
import { divergingRamp, mix, taskStyle, taskStyles } from '../../../webview/src/model/colour.ts';
import type { Rgb } from '../../../webview/src/model/colour.ts';

test('the ramp ends in its colours and has 0 exactly in its middle', () => {
  const ramp = divergingRamp([229, 20, 0], [31, 31, 31], [89, 164, 249], 511);
  assert.equal(ramp.length, 511);
  assert.deepEqual(
    [ramp[0], ramp[255], ramp[510]],
    [
      [229, 20, 0],
      [31, 31, 31],
      [89, 164, 249],
    ],
  );
});

test('mixing goes through OKLab: black and white meet at L = 0.5, which is sRGB 99', () => {
  // L = 0.5 gives the linear value 0.125; its sRGB gamma is 1.055 * 0.125^(1/2.4) - 0.055 = 0.3886 = 99.1 / 255.
  assert.deepEqual(mix([0, 0, 0], [255, 255, 255], 0.5), [99, 99, 99]);
  const colours: Rgb[] = [
    [0, 0, 0],
    [255, 255, 255],
    [255, 0, 0],
    [12, 200, 77],
  ];
  for (const colour of colours) assert.deepEqual(mix(colour, colour, 0.3), colour);
});

test('six tasks differ by colour, pattern, dash and marker at once, twelve by any of these beside the colour', () => {
  for (const key of ['variable', 'pattern', 'dash', 'symbol'] as const)
    assert.equal(new Set(taskStyles.slice(0, 6).map((style) => style[key])).size, 6, key);
  assert.equal(taskStyles.length, 12);
  for (const key of ['pattern', 'dash', 'symbol'] as const)
    assert.equal(new Set(taskStyles.map((style) => `${style.variable} ${style[key]}`)).size, 12, key);
  assert.equal(taskStyle(taskStyles.length), taskStyle(0));
});

/**
 * Shape rows of operators that slide a window over spatial axes, [N, C, ..]; sizes that are symbols give unknown ones.
 */
import type { Shaping, Typed } from './shapes.ts';
import type { Dim } from './types.ts';
import { windowOf, windowResults } from './windows.ts';
import type { Window } from './windows.ts';

function known(dims: readonly Dim[]): number[] | null {
  return dims.every((dim) => typeof dim === 'number') ? (dims as number[]) : null;
}

/** [N, ..] and results of the window over the spatial axes. */
function results(s: Shaping, channels: Dim, kernel: readonly number[] | null, ceil = false): Dim[] {
  const [batch, , ...sizes] = s.x(0).shape;
  const numbers = known(sizes);
  const spatial =
    numbers && kernel ? windowResults(numbers, windowOf(numbers, kernel, s), ceil) : sizes.map(() => s.unknown());
  return [batch, channels, ...spatial];
}

export function convolutionShape(s: Shaping): Typed[] {
  const [x, w] = [s.x(0), s.x(1)];
  return [{ type: x.type, shape: results(s, w.shape[0], known(w.shape.slice(2))) }];
}

export function transposedConvolutionShape(s: Shaping): Typed[] {
  const [x, w] = [s.x(0), s.x(1)];
  const [batch, , ...sizes] = x.shape;
  const [numbers, kernel] = [known(sizes), known(w.shape.slice(2))];
  const perGroup = w.shape[1];
  const channels = typeof perGroup === 'number' ? perGroup * s.int('group', 1) : s.unknown();
  const stated = s.ints('output_shape');
  if (stated) return [{ type: x.type, shape: [batch, channels, ...stated.slice(-sizes.length)] }];
  if (!numbers || !kernel) return [{ type: x.type, shape: [batch, channels, ...sizes.map(() => s.unknown())] }];
  const window: Window = windowOf(numbers, kernel, s);
  const extra = s.ints('output_padding') ?? numbers.map(() => 0);
  const same = s.string('auto_pad', 'NOTSET').startsWith('SAME');
  const spatial = numbers.map((size, i) => {
    if (same) return size * window.strides[i];
    const reach = (kernel[i] - 1) * window.dilations[i] + 1;
    return window.strides[i] * (size - 1) + extra[i] + reach - window.before[i] - window.after[i];
  });
  return [{ type: x.type, shape: [batch, channels, ...spatial] }];
}

/** MaxPool's second output holds positions. */
export function poolShape(s: Shaping): Typed[] {
  const x = s.x(0);
  const shape = results(s, x.shape[1], s.ints('kernel_shape'), s.int('ceil_mode', 0) !== 0);
  return [
    { type: x.type, shape },
    { type: 'int64', shape },
  ];
}

export function globalPoolShape(s: Shaping): Typed[] {
  const { type, shape } = s.x(0);
  return [{ type, shape: shape.map((dim, i) => (i < 2 ? dim : 1)) }];
}

export function resizeShape(s: Shaping): Typed[] {
  const { type, shape } = s.x(0);
  const axes = s.ints('axes')?.map((axis) => (axis < 0 ? axis + shape.length : axis)) ?? shape.map((_, i) => i);
  const sizes = s.inputs[3] ? s.contents(3) : null;
  const scales = s.inputs[2] && !s.inputs[3] ? s.floats(2) : null;
  return [
    {
      type,
      shape: shape.map((dim, axis) => {
        const at = axes.indexOf(axis);
        if (at < 0) return dim;
        const size = sizes?.[at];
        if (size !== undefined && size !== null) return size;
        return scales && typeof dim === 'number' ? Math.floor(dim * scales[at]) : s.unknown();
      }),
    },
  ];
}

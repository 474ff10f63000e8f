/**
 * A horizontal bar from zero: to the right filled (helps), to the left hollow and hatched (hurts). For lists and
 * tables.
 */
import { negativeFill, positiveFill, taskColour } from './patterns.tsx';

export function SignedBar(props: {
  share: number;
  task: number;
  width: number;
  height?: number;
  twoSided: boolean;
  /** On the scale of `share`. */
  interval?: readonly [number, number] | null;
  /** What takes the whole width; default 1. */
  limit?: number;
}) {
  const height = props.height ?? 10;
  const zero = props.twoSided ? props.width / 2 : 0;
  const room = props.twoSided ? props.width / 2 - 1 : props.width - 1;
  const pixels = (share: number) => (share * room) / (props.limit ?? 1);
  const length = Math.max(props.share === 0 ? 0 : 1, Math.abs(pixels(props.share)));
  const negative = props.share < 0;
  return (
    <svg class="signed-bar" width={props.width} height={height} aria-hidden="true" focusable="false">
      <line class="zero" x1={zero + 0.5} x2={zero + 0.5} y1="0" y2={height} />
      <rect
        x={negative ? zero - length : zero + 0.5}
        y="1.5"
        width={length}
        height={height - 3}
        fill={negative ? negativeFill(props.task) : positiveFill(props.task)}
        stroke={taskColour(props.task)}
      />
      {props.interval &&
        // The ground's colour beneath keeps it visible inside the bar.
        ['whisker-ground', 'whisker'].map((name) => (
          <line
            key={name}
            class={name}
            x1={zero + pixels(props.interval![0])}
            x2={zero + pixels(props.interval![1])}
            y1={height / 2}
            y2={height / 2}
          />
        ))}
    </svg>
  );
}

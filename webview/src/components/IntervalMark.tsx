/** A dot with its interval on a small axis, and where chance lies: for rows of tables. The numbers stand beside it. */
export function IntervalMark(props: {
  value: number | null;
  interval: readonly [number, number] | null;
  chance: number;
  domain: readonly [number, number];
}) {
  const [low, high] = props.domain;
  const x = (value: number) => 4 + (112 * (value - low)) / (high - low || 1);
  return (
    <svg class="interval-mark" width="120" height="14" aria-hidden="true" focusable="false">
      <line class="chance" x1={x(props.chance)} x2={x(props.chance)} y1="0" y2="14" />
      {props.interval && <line class="span" x1={x(props.interval[0])} x2={x(props.interval[1])} y1="7" y2="7" />}
      {props.value !== null && <circle cx={x(props.value)} cy="7" r="3.2" />}
    </svg>
  );
}

/**
 * Fill patterns that tell tasks and signs apart without colour. They are defined once per page and referred to by every
 * chart. Positive values carry the task's own pattern; negative values are hollow with diagonal hatching, for every
 * task.
 */
import { Fragment } from 'preact';
import type { JSX } from 'preact';
import { taskStyle, taskStyles } from '../model/colour.ts';
import type { TaskStyle } from '../model/colour.ts';

export const positiveFill = (task: number) => `url(#layerif-positive-${task % taskStyles.length})`;
export const negativeFill = (task: number) => `url(#layerif-negative-${task % taskStyles.length})`;
/** Stripes over whatever is below: the layer is unstable. */
export const UNSTABLE_FILL = 'url(#layerif-unstable)';
export const taskColour = (task: number) => `var(${taskStyle(task).variable})`;

const lines: Record<TaskStyle['pattern'], JSX.Element | null> = {
  solid: null,
  vertical: <path d="M1.5 0v6M4.5 0v6" stroke-width="1.4" />,
  horizontal: <path d="M0 1.5h6M0 4.5h6" stroke-width="1.4" />,
  dots: <path d="M1.5 1.5h.01M4.5 4.5h.01" stroke-width="2.2" stroke-linecap="round" />,
  grid: <path d="M0 3h6M3 0v6" stroke-width="1.4" />,
  sparse: <path d="M3 0v6" stroke-width="2.4" />,
};

export function Patterns() {
  return (
    <svg class="patterns" width="0" height="0" aria-hidden="true" focusable="false">
      <defs>
        <pattern id="layerif-unstable" width="8" height="8" patternUnits="userSpaceOnUse">
          <path d="M-2 6l8 -8M-2 14l16 -16M2 10l8 -8" stroke="var(--vscode-editor-background)" stroke-width="2.2" />
        </pattern>
        {taskStyles.map((style, task) => {
          const colour = `var(${style.variable})`;
          return (
            <Fragment key={task}>
              <pattern
                id={`layerif-positive-${task}`}
                width="6"
                height="6"
                patternUnits="userSpaceOnUse"
                stroke={colour}
              >
                <rect
                  width="6"
                  height="6"
                  fill={colour}
                  fill-opacity={style.pattern === 'solid' ? 1 : 0.28}
                  stroke="none"
                />
                {lines[style.pattern]}
              </pattern>
              <pattern
                id={`layerif-negative-${task}`}
                width="6"
                height="6"
                patternUnits="userSpaceOnUse"
                stroke={colour}
              >
                <path d="M-1.5 1.5l3-3M0 6l6-6M4.5 7.5l3-3" stroke-width="1.2" />
              </pattern>
            </Fragment>
          );
        })}
      </defs>
    </svg>
  );
}

/** A small filled square, as in the chart. */
export function Swatch({ task, negative = false }: { task: number; negative?: boolean }) {
  return (
    <svg class="swatch" width="14" height="14" aria-hidden="true" focusable="false">
      <rect
        x="0.75"
        y="0.75"
        width="12.5"
        height="12.5"
        fill={negative ? negativeFill(task) : positiveFill(task)}
        stroke={taskColour(task)}
      />
    </svg>
  );
}

const symbols: Record<TaskStyle['symbol'], string> = {
  circle: 'M14 3.5a3.5 3.5 0 1 0 .01 0z',
  square: 'M10.8 3.8h6.4v6.4h-6.4z',
  triangle: 'M14 2.6l4 7h-8z',
  diamond: 'M14 2l3 5-3 5-3-5z',
  star: 'M14 1.8l1.3 3.5h3.6l-2.9 2.3 1 3.7-3-2.1-3 2.1 1-3.7-2.9-2.3h3.6z',
  cross: 'M12.6 3h2.8v2.6H18v2.8h-2.6V11h-2.8V8.4H10V5.6h2.6z',
};

/** The task's line with its marker, as in the chart of lines. */
export function LineSwatch({ task }: { task: number }) {
  const { dash, symbol } = taskStyle(task);
  return (
    <svg class="swatch" width="28" height="14" aria-hidden="true" focusable="false">
      <line
        x1="0"
        x2="28"
        y1="7"
        y2="7"
        stroke={taskColour(task)}
        stroke-width="1.5"
        stroke-dasharray={dash || undefined}
      />
      <path d={symbols[symbol]} fill={taskColour(task)} />
    </svg>
  );
}

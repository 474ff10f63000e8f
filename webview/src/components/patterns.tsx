/**
 * Fill patterns that tell tasks and signs apart without colour. They are defined once per page and referred to by every chart.
 * Positive values carry the task's own pattern; negative values are hollow with diagonal hatching, for every task.
 */
import type { JSX } from 'preact';
import { taskStyle, taskStyles } from '../model/colour.ts';
import type { TaskStyle } from '../model/colour.ts';

export const positiveFill = (task: number) => `url(#layerif-positive-${task % taskStyles.length})`;
export const negativeFill = (task: number) => `url(#layerif-negative-${task % taskStyles.length})`;
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
        {taskStyles.map((style, task) => {
          const colour = `var(${style.variable})`;
          return (
            <>
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
            </>
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

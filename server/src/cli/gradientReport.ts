/** The self-check of gradients as text: a table of values and limits, then what each means. */
import type { GradientCheckReport, GradientCheckRow } from '../../../protocol/check.ts';
import { counted, score, table } from './format.ts';

export function gradientReport(report: GradientCheckReport, columns: number): string {
  const { checks, model, device, task, samples, tokens, layers, passed } = report;
  const rows = checks.map((check) => [check.title, valueOf(check), limitOf(check), verdict(check)]);
  const head = ['check', 'value', 'limit', ''];
  const scope = `${counted(samples, 'sample')} of task "${task}" (${counted(tokens, 'token')}), ${layers.length === 1 ? 'layer' : 'layers'} ${layers.join(', ')}, device ${device}`;
  const failed = checks.filter((check) => check.passed === false).length;
  const lines = [
    `Gradients of ${model}`,
    scope,
    '',
    ...table([head, ...rows], [1, 2]),
    '',
    ...checks.flatMap(({ title, sentence }) => wrapped(`${title}: ${sentence}`, columns)),
    '',
    passed ? 'Every check passed.' : `${counted(failed, 'check')} failed.`,
  ];
  return `${lines.join('\n')}\n`;
}

function valueOf({ value }: GradientCheckRow): string {
  return value === null ? '-' : score(value);
}

function limitOf({ limit }: GradientCheckRow): string {
  return limit === null ? '-' : score(limit);
}

function verdict({ passed }: GradientCheckRow): string {
  return passed === null ? '' : passed ? 'passed' : 'FAILED';
}

/** Lines of at most `columns` characters, continued ones indented. */
function wrapped(text: string, columns: number): string[] {
  const width = Math.max(40, columns);
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(last === undefined ? word : `  ${word}`);
  }
  return lines;
}

/** What `validate` prints for people. Pure: a result in, text out. */
import type {
  AgreementRow,
  Comparison,
  Measure,
  ProtocolResult,
  ValidationResult,
} from '../../../protocol/validation.ts';
import { counted, duration, percent, table } from './format.ts';

const OF_INFLUENCE = [
  'Values with 95 % intervals over other training subsets or samples and other validation samples; controls are marked with *.',
  '"over dot" is the difference to gradient dot at the same gradients, p how often the best of as many predictors that know nothing does as well.',
  '"Beats", "worse" and p hold for all estimators of a table at once, so that picking the best one is accounted for; every table is judged by itself, and of twenty tables one may err.',
  'All of this tests whether influence finds samples. Whether the order of the layers is right is another question.',
];

export function validationReport(result: ValidationResult, resultFile: string): string {
  const { model, samples, layers, provenance } = result;
  const title = `${result.task}: ${samples.train} train × ${samples.validation} validation, ${model.name}, LoRA on layers ${layers.join(', ')}`;
  return [
    title,
    ...result.protocols.flatMap((protocol) => ['', ...protocolReport(protocol)]),
    ...result.skipped.map(({ protocol, reason }) => `\nNot run: ${protocol}, because ${reason}.`),
    '',
    ...(result.protocols.some(({ measures }) => measures.length > 0) ? OF_INFLUENCE : []),
    `${counted(provenance.retrainings, 'training')} of LoRA factors, ${duration(provenance.seconds)}, ${provenance.device}, ${counted(provenance.threads, 'thread')}.`,
    `Result ${resultFile}`,
  ]
    .map((line) => `${line}\n`)
    .join('');
}

function protocolReport({ title, how, measures, comparisons = [], recall, verdict }: ProtocolResult): string[] {
  return [
    title.toUpperCase(),
    how,
    '',
    ...measures.flatMap((measure) => [...measureTable(measure), '']),
    ...comparisons.flatMap((comparison) => [...comparisonTable(comparison), '']),
    ...(recall ? [...recallTable(recall), ''] : []),
    ...verdict,
  ];
}

function measureTable({ name, chance, rows }: Measure): string[] {
  const sorted = rows.toSorted((a, b) => (b.value ?? -Infinity) - (a.value ?? -Infinity));
  return table(
    [[`${name} (chance ${chance})`, 'gradients', 'value', 'interval', 'over dot', 'p'], ...sorted.map(cells)],
    [2, 3, 4, 5],
  );
}

function cells({ predictor, point, control, value, interval, overDot, p }: AgreementRow): string[] {
  return [
    `${predictor}${control ? ' *' : ''}`,
    point ?? '',
    value === null ? 'undefined' : value.toFixed(3),
    interval ? `${interval[0].toFixed(2)} to ${interval[1].toFixed(2)}` : '',
    overDot ? `${overDot.difference >= 0 ? '+' : ''}${overDot.difference.toFixed(3)}` : '',
    p === undefined ? '' : p < 0.001 ? '<0.001' : p.toFixed(3),
  ];
}

function comparisonTable({ name, better, baseline, ways }: Comparison): string[] {
  const sorted = ways.toSorted((a, b) => (better === 'lower' ? a.value - b.value : b.value - a.value));
  const body = sorted.map(({ way, control, value, difference, interval, p }) => [
    `${way}${control && difference !== null ? ' *' : ''}`,
    value.toFixed(3),
    difference === null ? '' : `${difference >= 0 ? '+' : ''}${difference.toFixed(4)}`,
    interval ? interval.map((end) => end.toFixed(4)).join(' to ') : '',
    p === null ? '' : p < 0.001 ? '<0.001' : p.toFixed(3),
  ]);
  return table([[`${name}, ${better} is better`, 'value', `less ${baseline}`, 'interval', 'p'], ...body], [1, 2, 3, 4]);
}

function recallTable({ shares, rows }: NonNullable<ProtocolResult['recall']>): string[] {
  const head = ['found in the most suspicious', 'gradients', 'by', ...shares.map(percent)];
  const body = rows.map(({ predictor, point, by, recall }) => [predictor, point ?? '', by, ...recall.map(percent)]);
  return table([head, ...body], [3, 4, 5, 6, 7]);
}

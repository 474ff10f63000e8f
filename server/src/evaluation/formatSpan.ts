/** `format_span` of lm-evaluation-harness: named entities as `label: entity $ label: entity`. */
import { regexFindAll, regexReplace } from '../data/jinja/regex.ts';
import { strip } from './python.ts';

/** Words for a kind of entity, in the order in which the harness replaces them. */
const labels: readonly [word: string, label: string][] = [
  ['person', 'PER'],
  ['location', 'LOC'],
  ['organization', 'ORG'],
  ['counties', 'LOC'],
  ['places', 'LOC'],
  ['people', 'PER'],
  ['persons', 'PER'],
  ['company', 'ORG'],
  ['country', 'LOC'],
  ['continent', 'LOC'],
  ['time', 'DATE'],
  ['date', 'DATE'],
  ['per', 'PER'],
  ['loc', 'LOC'],
  ['org', 'ORG'],
];

export function formatSpan(answer: string): string {
  const named = labels.reduce(
    (text, [word, label]) => regexReplace(text, `\\b${word}\\s*:`, `${label}:`, 0),
    answer.toLowerCase(),
  );
  const single = named.split('$$').join('$').replace(/\$+$/, '');
  const lines = strip(single.replaceAll('\n', () => '$'));
  return regexFindAll(lines, '\\b(PER|LOC|ORG|DATE):\\s*([^$]+)')
    .flatMap(([label = '', values = '']) =>
      values
        .split(',')
        .map(strip)
        .filter((entity) => entity.toLowerCase() !== 'none')
        .map((entity) => `${label.toLowerCase()}: ${entity}`),
    )
    .join(' $ ');
}

/**
 * The forms of the Allocation and Sparsity tabs: what is asked of the server, what the controls show, and what the
 * chart draws of the answers. A control that was never moved asks for nothing, so the experiment's section `allocate`
 * and the rule's defaults count. Pure: no DOM.
 */
import type { Allocation, AllocationKind, AllocationRequest } from '../../../protocol/allocation.ts';
import type { AllocationChoicesAnswer } from '../../../protocol/lsp.ts';
import { formatShare } from './format.ts';
import type { Series } from './series.ts';

export interface AllocationForm {
  kind: AllocationKind;
  rule: string;
  /** Name of a task; '' = the mean over all. */
  task: string;
  total: number | null;
  minimum: number | null;
  topK: number | null;
  beta: number | null;
  count: number | null;
  ratio: number | null;
  epsilon: number | null;
  lambda: number | null;
  unit: 'block' | 'matrix';
  structure: string;
  /** Rules that are drawn beside. */
  baselines: string[];
}

const empty = {
  rule: 'layerif',
  task: '',
  total: null,
  minimum: null,
  topK: null,
  beta: null,
  count: null,
  ratio: null,
  epsilon: null,
  lambda: null,
  unit: 'block',
  structure: 'unstructured',
} as const;
export const countForm: AllocationForm = { ...empty, kind: 'experts', baselines: ['uniform', 'mola_2468'] };
export const sparsityForm: AllocationForm = { ...empty, kind: 'sparsity', baselines: ['uniform', 'reversed'] };

export const countKinds: readonly { id: AllocationKind; name: string; title: string }[] = [
  { id: 'experts', name: 'LoRA experts', title: 'LoRA experts per layer' },
  { id: 'rank', name: 'LoRA ranks', title: 'LoRA rank per layer' },
  { id: 'tune', name: 'Layers to tune', title: 'Layers to tune' },
  { id: 'freeze', name: 'Layers to freeze', title: 'Layers to freeze' },
  { id: 'drop', name: 'Layers to drop', title: 'Layers to leave out' },
];

export const structures: readonly { id: string; name: string }[] = [
  { id: 'unstructured', name: 'Unstructured' },
  { id: '2:4', name: '2:4' },
  { id: '4:8', name: '4:8' },
];

type Numeric = 'total' | 'minimum' | 'topK' | 'beta' | 'count' | 'ratio' | 'epsilon' | 'lambda';

const isChoice = (kind: AllocationKind): kind is 'tune' | 'freeze' | 'drop' =>
  kind === 'tune' || kind === 'freeze' || kind === 'drop';

export interface Control {
  key: Numeric;
  label: string;
  min: number;
  max: number;
  step: number;
  text: (value: number) => string;
}

const whole = (value: number) => String(value);
const times = (value: number) => value.toFixed(1);
const percent = (value: number) => formatShare(value);

/**
 * The sliders that a kind and its rule have. `settings` are those of the last answer: a rule without an exponent has no
 * slider for it.
 */
export function controlsOf(
  kind: AllocationKind,
  layers: number,
  settings: Partial<AllocationRequest> | null,
  rule: string,
): Control[] {
  const total = { key: 'total', min: layers, step: 1, text: whole } as const;
  const beta: Control = { key: 'beta', label: 'Exponent', min: 0.1, max: 6, step: 0.1, text: times };
  const ownTotal = rule.startsWith('mola');
  const powers = settings === null || settings.beta !== undefined ? [beta] : [];
  if (isChoice(kind))
    return [{ key: 'count', label: 'Layers', min: 1, max: Math.max(1, layers - 1), step: 1, text: whole }];
  if (kind === 'experts')
    return [
      ...(ownTotal ? [] : [{ ...total, label: 'Total experts', max: 10 * layers }]),
      ...powers,
      ...(ownTotal ? [] : [{ key: 'minimum', label: 'At least', min: 0, max: 5, step: 1, text: whole } as Control]),
      { key: 'topK', label: 'Active per token', min: 1, max: 8, step: 1, text: whole },
    ];
  if (kind === 'rank') return [...(ownTotal ? [] : [{ ...total, label: 'Sum of ranks', max: 64 * layers }]), ...powers];
  return [
    { key: 'ratio', label: 'Sparsity', min: 0.05, max: 0.95, step: 0.01, text: percent },
    ...(settings?.epsilon === undefined
      ? []
      : [
          {
            key: 'epsilon',
            label: 'Range \u03b5',
            min: 0,
            max: 0.9,
            step: 0.01,
            text: (v: number) => v.toFixed(2),
          } as Control,
        ]),
    ...(settings?.lambda === undefined
      ? []
      : [
          {
            key: 'lambda',
            label: 'Range \u03bb',
            min: 0,
            max: 0.4,
            step: 0.01,
            text: (v: number) => v.toFixed(2),
          } as Control,
        ]),
  ];
}

/** What the server is asked: only what was chosen. */
export function requestOf(form: AllocationForm, rule = form.rule): AllocationRequest & { tasks?: string[] } {
  const given = (...keys: Numeric[]) =>
    Object.fromEntries(keys.flatMap((key) => (form[key] === null ? [] : [[key, form[key]]])));
  const tasks = form.task === '' ? {} : { tasks: [form.task] };
  const { kind } = form;
  if (isChoice(kind)) return { kind, ...given('count'), ...tasks };
  const own = rule === form.rule;
  if (kind === 'sparsity') {
    const { unit, structure } = form;
    // A structure N:M says the ratio itself.
    const ratio = structure === 'unstructured' ? given('ratio') : {};
    return { kind, rule, ...ratio, ...(own ? given('epsilon', 'lambda') : {}), unit, structure, ...tasks };
  }
  const shared = rule.startsWith('mola') ? given() : given('total', 'minimum');
  const perToken = kind === 'experts' ? given('topK') : {};
  return { kind, rule, ...shared, ...(own ? given('beta') : {}), ...perToken, ...tasks };
}

export const rulesFor = (choices: AllocationChoicesAnswer | null, kind: AllocationKind) =>
  isChoice(kind) ? [] : (choices?.rules ?? []).filter(({ kinds }) => kinds.includes(kind));

export const targetsFor = (choices: AllocationChoicesAnswer | null, kind: AllocationKind) =>
  (choices?.targets ?? []).filter(({ kinds }) => kinds.includes(kind) || kinds.length === 0);

/** Rules whose title describes them instead of naming them. */
const ruleNames = new Map([
  ['released', 'LayerIF, released lists'],
  ['uniform', 'Uniform'],
  ['random', 'Random'],
  ['reversed', 'Reversed (control)'],
]);

/** The name of a rule without its explanation. */
export const ruleName = (id: string, title: string) =>
  ruleNames.get(id) ?? (id.startsWith('mola_') ? `MoLA ${id.slice(5)}` : title.replace(/[,:(].*$/, '').trim());

/** "9", "43 %", "tuned". */
export function valueText(kind: AllocationKind, value: number): string {
  if (kind === 'sparsity') return formatShare(value);
  if (!isChoice(kind)) return String(Math.round(value * 100) / 100);
  const word = { tune: 'tuned', freeze: 'frozen', drop: 'left out' }[kind];
  return value === 1 ? word : '\u2013';
}

/** The chosen rule as bars, the others as lines in the styles that follow. */
export function allocationSeries(
  own: { name: string; allocation: Allocation },
  others: readonly { name: string; allocation: Allocation }[],
): Series[] {
  const values = (allocation: Allocation) => allocation.layers.map(({ value }) => value);
  const spread = own.allocation.spread && {
    intervals: own.allocation.layers.map((layer) => layer.spread ?? null),
  };
  return [
    { name: own.name, style: 0, mark: 'bars', values: values(own.allocation), ...spread },
    ...others
      .filter(({ allocation }) => allocation.layers.length === own.allocation.layers.length)
      .map(({ name, allocation }, i): Series => ({ name, style: i + 1, mark: 'lines', values: values(allocation) })),
  ];
}

/** What one wants to paste: numbers in layer order, or the indices of chosen layers. */
export function listText({ kind, layers }: Pick<Allocation, 'kind' | 'layers'>): string {
  if (isChoice(kind))
    return layers
      .filter(({ value }) => value === 1)
      .map(({ index }) => index)
      .join(',');
  return layers.map(({ value }) => Number(value.toPrecision(6))).join(',');
}

/** "150 experts over 30 layers", as they really came out. */
export function totalWords({ kind, total, layers }: Allocation): string {
  const over = `over ${layers.length} layers`;
  switch (kind) {
    case 'experts':
      return `${total} experts ${over}`;
    case 'rank':
      return `ranks that add up to ${total} ${over}`;
    case 'sparsity':
      return `${(100 * total).toFixed(2)}\u00a0% of the prunable weights ${over}`;
    case 'tune':
    case 'freeze':
    case 'drop':
      return `${total} of ${layers.length} layers`;
  }
}

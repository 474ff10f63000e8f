/**
 * Plain words of a harness task file as PyYAML's SafeLoader reads them: YAML 1.1 with yes, no, on and off, octal 010,
 * numbers in base 60, and no number without a point that has an exponent. y and n are texts. Dates stay texts, too: no
 * key of a task holds one.
 */
import type { ScalarTag, SchemaOptions } from 'yaml';
import { lookup } from '../text/lookup.ts';

const truths: Readonly<Record<string, boolean>> = {
  yes: true,
  true: true,
  on: true,
  no: false,
  false: false,
  off: false,
};

/** Lower case, capitalised or upper case, but nothing between. */
const bool: ScalarTag = {
  tag: 'tag:yaml.org,2002:bool',
  default: true,
  test: /^(?:yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF)$/,
  resolve: (source) => lookup(truths, source.toLowerCase()) ?? source,
};

const nothing: ScalarTag = {
  tag: 'tag:yaml.org,2002:null',
  default: true,
  test: /^(?:~|null|Null|NULL|)$/,
  resolve: () => null,
};

const int: ScalarTag = {
  tag: 'tag:yaml.org,2002:int',
  default: true,
  test: /^(?:[-+]?0b[0-1_]+|[-+]?0[0-7_]+|[-+]?(?:0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+|[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+)$/,
  resolve(source) {
    const { sign, digits } = parts(source);
    if (digits.includes(':')) return sign * base60(digits);
    if (/^0[bx]/.test(digits)) return sign * Number(digits);
    return sign * parseInt(digits, digits.startsWith('0') ? 8 : 10);
  },
};

const float: ScalarTag = {
  tag: 'tag:yaml.org,2002:float',
  default: true,
  test: /^(?:[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/,
  resolve(source) {
    const { sign, digits } = parts(source.toLowerCase());
    if (digits === '.inf') return sign * Infinity;
    if (digits === '.nan') return NaN;
    return sign * (digits.includes(':') ? base60(digits) : Number(digits));
  },
};

function parts(source: string): { sign: number; digits: string } {
  return { sign: source.startsWith('-') ? -1 : 1, digits: source.replace(/^[-+]/, '').replaceAll('_', '') };
}

/** `1:30` is 90. */
function base60(digits: string): number {
  return digits.split(':').reduce((sum, part) => sum * 60 + Number(part), 0);
}

/** Of two equal keys the later one counts. */
export const pyyaml = {
  schema: 'failsafe',
  tags: [nothing, bool, int, float],
  uniqueKeys: false,
} as const satisfies SchemaOptions & { tags: readonly ScalarTag[]; uniqueKeys: boolean };

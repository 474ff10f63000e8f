/** Python's datetime.time and datetime.timedelta. */
import { PythonValue } from './pythonValue.ts';

const DAY_MICROS = 86_400_000_000n;

/** Hour, minute, second and microsecond of a time within a day. */
function clock(micros: bigint): [hour: number, minute: number, second: number, micro: number] {
  const seconds = Number(micros / 1_000_000n);
  return [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60, Number(micros % 1_000_000n)];
}

const two = (value: number): string => String(value).padStart(2, '0');
const fraction = (micros: number): string => (micros === 0 ? '' : `.${String(micros).padStart(6, '0')}`);

/** A time of day without a zone. */
export class TimeOfDay extends PythonValue {
  readonly type = 'datetime.time';
  readonly #micros: bigint;

  /** @param micros since midnight */
  constructor(micros: bigint) {
    super();
    this.#micros = micros;
  }

  toString(): string {
    const [hour, minute, second, micro] = clock(this.#micros);
    return `${two(hour)}:${two(minute)}:${two(second)}${fraction(micro)}`;
  }

  representation(): string {
    const [hour, minute, second, micro] = clock(this.#micros);
    const rest = micro !== 0 ? [second, micro] : second !== 0 ? [second] : [];
    return `datetime.time(${[hour, minute, ...rest].join(', ')})`;
  }

  compare(other: PythonValue): number | undefined {
    return other instanceof TimeOfDay ? Number(this.#micros - other.#micros) : undefined;
  }

  override part(name: unknown): number | undefined {
    const at = ['hour', 'minute', 'second', 'microsecond'].indexOf(String(name));
    return at < 0 ? undefined : clock(this.#micros)[at];
  }
}

export class Duration extends PythonValue {
  readonly type = 'datetime.timedelta';
  readonly #micros: bigint;

  constructor(micros: bigint) {
    super();
    this.#micros = micros;
  }

  /** Whole days, rounded down, and the rest of a day. */
  #parts(): { days: bigint; rest: bigint } {
    const rest = ((this.#micros % DAY_MICROS) + DAY_MICROS) % DAY_MICROS;
    return { days: (this.#micros - rest) / DAY_MICROS, rest };
  }

  toString(): string {
    const { days, rest } = this.#parts();
    const [hour, minute, second, micro] = clock(rest);
    const many = days === 1n || days === -1n ? '' : 's';
    return `${days === 0n ? '' : `${days} day${many}, `}${hour}:${two(minute)}:${two(second)}${fraction(micro)}`;
  }

  representation(): string {
    const { days, rest } = this.#parts();
    const values: [string, bigint][] = [
      ['days', days],
      ['seconds', rest / 1_000_000n],
      ['microseconds', rest % 1_000_000n],
    ];
    const named = values.filter(([, value]) => value !== 0n).map(([name, value]) => `${name}=${value}`);
    return `datetime.timedelta(${named.length === 0 ? '0' : named.join(', ')})`;
  }

  compare(other: PythonValue): number | undefined {
    return other instanceof Duration ? Number(this.#micros - other.#micros) : undefined;
  }

  override truth(): boolean {
    return this.#micros !== 0n;
  }

  override part(name: unknown): number | undefined {
    const { days, rest } = this.#parts();
    const parts = new Map<unknown, bigint>([
      ['days', days],
      ['seconds', rest / 1_000_000n],
      ['microseconds', rest % 1_000_000n],
    ]);
    const value = parts.get(name);
    return value === undefined ? undefined : Number(value);
  }
}

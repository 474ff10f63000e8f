/** Python's datetime and date, and pandas' Timestamp, as columns of dates have them. */
import { take } from '../../lists/take.ts';
import { PythonValue } from './pythonValue.ts';
import type { Zone } from './zones.ts';

/** `date` has no time of day, `Timestamp` has nanoseconds. */
export type MomentType = 'datetime' | 'date' | 'Timestamp';

export class Moment extends PythonValue {
  readonly type: MomentType;
  /** Of the clock that it shows. */
  readonly #ms: number;
  /** Beyond the milliseconds, 0 to 999,999. */
  readonly #nanos: number;
  readonly #zone: Zone | null;
  /** Seconds that the clock is ahead of UTC. */
  readonly #offset: number;

  /**
   * @param ms milliseconds since 1970 in UTC; without a zone of what the clock shows
   * @param nanos beyond them, 0 to 999,999
   */
  constructor(ms: number, type: MomentType = 'datetime', nanos = 0, zone: Zone | null = null) {
    super();
    this.#offset = zone === null ? 0 : zone.offset(ms);
    this.#ms = ms + this.#offset * 1000;
    this.#nanos = nanos;
    this.#zone = zone;
    this.type = type;
  }

  /** A Timestamp of pandas: what pyarrow makes of nanoseconds. */
  ofPandas(): Moment {
    return new Moment(this.#ms - this.#offset * 1000, 'Timestamp', this.#nanos, this.#zone);
  }

  /** The same time, taken for one of UTC, on the clocks of a zone. */
  inZone(zone: Zone): Moment {
    return new Moment(this.#ms - this.#offset * 1000, this.type, this.#nanos, zone);
  }

  compare(other: PythonValue): number | undefined {
    if (!(other instanceof Moment)) return undefined;
    const alike =
      (this.type === 'date') === (other.type === 'date') && (this.#zone === null) === (other.#zone === null);
    if (!alike) return undefined;
    return this.#ms - this.#offset * 1000 - (other.#ms - other.#offset * 1000) || this.#nanos - other.#nanos;
  }

  /** year, month, day; for a datetime hour, minute, second and microsecond too. */
  get parts(): Map<string, number> {
    const date = new Date(this.#ms);
    const day = [
      ['year', date.getUTCFullYear()],
      ['month', date.getUTCMonth() + 1],
      ['day', date.getUTCDate()],
    ] as const;
    if (this.type === 'date') return new Map(day);
    return new Map([
      ...day,
      ['hour', date.getUTCHours()],
      ['minute', date.getUTCMinutes()],
      ['second', date.getUTCSeconds()],
      ['microsecond', date.getUTCMilliseconds() * 1000 + Math.floor(this.#nanos / 1000)],
      ...(this.type === 'Timestamp' ? [['nanosecond', this.#nanos % 1000] as const] : []),
    ]);
  }

  /** An attribute. */
  override part(name: unknown): number | undefined {
    return typeof name === 'string' ? this.parts.get(name) : undefined;
  }

  /** Python's `str`. */
  toString(): string {
    const of = (name: string, width = 2): string => String(this.parts.get(name)).padStart(width, '0');
    const day = `${of('year', 4)}-${of('month')}-${of('day')}`;
    if (this.type === 'date') return day;
    return `${day} ${of('hour')}:${of('minute')}:${of('second')}${this.#fraction()}${this.#ahead(':')}`;
  }

  #fraction(): string {
    const micros = String(this.parts.get('microsecond')).padStart(6, '0');
    const nanos = this.type === 'Timestamp' ? this.#nanos % 1000 : 0;
    if (nanos !== 0) return `.${micros}${String(nanos).padStart(3, '0')}`;
    return Number(micros) === 0 ? '' : `.${micros}`;
  }

  /** `+01:00`, with seconds where there are some; empty without a zone. */
  #ahead(colon: string): string {
    if (this.#zone === null) return '';
    const size = Math.abs(this.#offset);
    const parts = [Math.floor(size / 3600), Math.floor(size / 60) % 60, ...(size % 60 === 0 ? [] : [size % 60])];
    return (this.#offset < 0 ? '-' : '+') + parts.map((part) => String(part).padStart(2, '0')).join(colon);
  }

  /** Python's `repr`, which leaves out seconds and microseconds of 0. */
  representation(): string {
    if (this.type === 'Timestamp') {
      const clock = this.toString().slice(0, 19);
      const zone = this.#zone === null ? '' : `, tz='${this.#zone.name}'`;
      return `Timestamp('${clock}${this.#fraction()}${this.#ahead('')}'${zone})`;
    }
    const values = [...this.parts.values()];
    if (this.type === 'datetime') {
      if (values[6] === 0) values.pop();
      if (values.length === 6 && values[5] === 0) values.pop();
    }
    const zone = this.#zone === null ? '' : `, tzinfo=${this.#zone.representation}`;
    return `datetime.${this.type}(${values.join(', ')}${zone})`;
  }
}

const TIMESTAMP = /^(\d{4})-(\d\d)-(\d\d)(?:[ T](\d\d)(?::(\d\d)(?::(\d\d))?)?(?:Z|([-+])(\d\d)(?::?(\d\d))?)?)?$/;

/**
 * What Arrow's JSON reader takes for a timestamp of whole seconds, brought to UTC and without a time zone; null for
 * other texts.
 */
export function timestampOf(text: string): Moment | null {
  const found = TIMESTAMP.exec(text);
  if (found === null) return null;
  const numbers = found.slice(1, 7).map((part) => Number(part ?? 0));
  const [year, month, day, hour, minute, second] = take(numbers, 6);
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  const isDay = date.getUTCFullYear() === year && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  if (!isDay || year === 0 || hour > 23 || minute > 59 || second > 59) return null;
  const [, , , , , , , sign, zoneHours = '0', zoneMinutes = '0'] = found;
  if (Number(zoneHours) > 23 || Number(zoneMinutes) > 59) return null;
  const zone = (Number(zoneHours) * 60 + Number(zoneMinutes)) * (sign === '-' ? -1 : 1);
  date.setUTCHours(hour, minute - zone, second);
  return new Moment(date.getTime());
}

/** Python's datetime and date, as columns of dates have them: they print as Python prints them. */
import { take } from '../../lists/take.ts';

export class Moment {
  /** `datetime.date` has no time of day. */
  readonly type: 'datetime' | 'date';
  /** Of the clock that it shows. */
  readonly #ms: number;
  readonly #micros: number;
  /** 0 in UTC, null without a time zone. */
  readonly #offset: 0 | null;

  /**
   * @param ms milliseconds since 1970 of what the clock shows
   * @param micros beyond them, 0 to 999
   * @param offset 0 for UTC, null without a time zone
   */
  constructor(ms: number, type: Moment['type'] = 'datetime', micros = 0, offset: 0 | null = null) {
    this.#ms = ms;
    this.#micros = micros;
    this.#offset = offset;
    this.type = type;
  }

  /** The same clock, of UTC. */
  inUtc(): Moment {
    return new Moment(this.#ms, this.type, this.#micros, 0);
  }

  /** For order. */
  valueOf(): number {
    return this.#ms + this.#micros / 1000;
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
      ['microsecond', date.getUTCMilliseconds() * 1000 + this.#micros],
    ]);
  }

  /** An attribute. */
  part(name: unknown): number | undefined {
    return typeof name === 'string' ? this.parts.get(name) : undefined;
  }

  /** Python's `str`. */
  toString(): string {
    const of = (name: string, width = 2): string => String(this.parts.get(name)).padStart(width, '0');
    const day = `${of('year', 4)}-${of('month')}-${of('day')}`;
    if (this.type === 'date') return day;
    const micros = this.parts.get('microsecond') === 0 ? '' : `.${of('microsecond', 6)}`;
    return `${day} ${of('hour')}:${of('minute')}:${of('second')}${micros}${this.#offset === 0 ? '+00:00' : ''}`;
  }

  toJSON(): string {
    return this.toString();
  }

  /** Python's `repr`, which leaves out seconds and microseconds of 0. */
  representation(): string {
    const values = [...this.parts.values()];
    if (this.type === 'datetime') {
      if (values[6] === 0) values.pop();
      if (values.length === 6 && values[5] === 0) values.pop();
    }
    const zone = this.#offset === 0 ? ', tzinfo=datetime.timezone.utc' : '';
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

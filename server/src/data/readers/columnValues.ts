/** What pyarrow makes of numbers that stand for times, for the readers of Parquet and Arrow. */
import { Duration, TimeOfDay } from '../jinja/clocks.ts';
import { Moment } from '../jinja/moments.ts';
import { zoneOf, type Zone } from '../jinja/zones.ts';
import { UnsupportedFile } from './reader.ts';

/** `TimeUnit` of Arrow is the index. */
export const units = ['SECONDS', 'MILLIS', 'MICROS', 'NANOS'] as const;
export type Unit = (typeof units)[number];

/** Of one unit; null: it is a thousandth of a microsecond. */
const micros: Readonly<Record<Unit, bigint | null>> = { SECONDS: 1_000_000n, MILLIS: 1000n, MICROS: 1n, NANOS: null };

function microsOf(value: number | bigint, unit: Unit): bigint {
  const each = micros[unit];
  const count = BigInt(value);
  return each === null ? count / 1000n : count * each;
}

export function timeOfDay(value: number | bigint, unit: Unit): TimeOfDay {
  return new TimeOfDay(microsOf(value, unit));
}

/** @throws UnsupportedFile for nanoseconds, of which pyarrow makes a class of pandas */
export function duration(value: number | bigint, unit: Unit): Duration {
  if (unit === 'NANOS') throw new UnsupportedFile('durations in nanoseconds are not read; write them in microseconds');
  return new Duration(microsOf(value, unit));
}

/** @param nanos since 1970 */
export function nanoTime(nanos: bigint): Moment {
  const ms = nanos / 1_000_000n - (nanos % 1_000_000n < 0n ? 1n : 0n);
  return new Moment(Number(ms), 'datetime', Number(nanos - ms * 1_000_000n));
}

const zones = new Map<string, Zone>();

/** @throws Error for a name that is none */
export function zoneNamed(name: string | null | undefined): Zone | null {
  if (name === null || name === undefined || name === '') return null;
  const known = zones.get(name) ?? zoneOf(name);
  zones.set(name, known);
  return known;
}

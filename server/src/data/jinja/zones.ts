/** Time zones as pyarrow makes them for Python: by name of the zone database, or a fixed distance from UTC. */

export interface Zone {
  /** Seconds that clocks are ahead of UTC at a time, in milliseconds since 1970. */
  offset(ms: number): number;
  /** Python's `repr`. */
  representation: string;
  /** pandas' name, as in a Timestamp's `repr`. */
  name: string;
}

/**
 * @param name `Europe/Berlin`, `UTC`, `+05:30`
 * @throws Error for a name that is none
 */
export function zoneOf(name: string): Zone {
  const fixed = /^([-+])(\d\d):?(\d\d)$/.exec(name);
  if (fixed !== null) {
    const [, sign = '+', hours = '0', minutes = '0'] = fixed;
    const seconds = (Number(hours) * 3600 + Number(minutes) * 60) * (sign === '-' ? -1 : 1);
    if (seconds === 0) return { offset: () => 0, representation: 'datetime.timezone.utc', name: 'UTC' };
    const delta = seconds < 0 ? `days=-1, seconds=${86_400 + seconds}` : `seconds=${seconds}`;
    return {
      offset: () => seconds,
      representation: `datetime.timezone(datetime.timedelta(${delta}))`,
      name: `UTC${sign}${hours}:${minutes}`,
    };
  }
  const shown = formatOf(name);
  return {
    offset(ms) {
      const part = new Map(shown.formatToParts(ms).map(({ type, value }) => [type, Number(value)]));
      const of = (type: Intl.DateTimeFormatPartTypes): number => part.get(type) ?? 0;
      const wall = new Date(0);
      wall.setUTCFullYear(of('year'), of('month') - 1, of('day'));
      wall.setUTCHours(of('hour'), of('minute'), of('second'));
      return Math.round((wall.getTime() - Math.floor(ms / 1000) * 1000) / 1000);
    },
    representation: `zoneinfo.ZoneInfo(key='${name}')`,
    name,
  };
}

function formatOf(name: string): Intl.DateTimeFormat {
  try {
    return new Intl.DateTimeFormat('en-US', {
      timeZone: name,
      calendar: 'iso8601',
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  } catch (error) {
    throw new Error(`"${name}" is no time zone`, { cause: error });
  }
}

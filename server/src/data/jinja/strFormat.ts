/** Python's `str.format`. */
import { formatted } from './formatSpec.ts';
import { countPieces, requireText } from './limits.ts';
import { defined } from './objects.ts';
import { item } from './operators.ts';
import { quoted, representation, text } from './text.ts';

/** `"{} {name!r:>5}".format(...)` */
export function strFormat(template: string, args: unknown[], named: Map<string, unknown>): string {
  let automatic = 0;
  const field = (source: string): unknown => {
    const [, first = '', rest = ''] = /^([^.[]*)(.*)$/s.exec(source) ?? [];
    const base = first === '' ? args[automatic++] : /^\d+$/.test(first) ? args[Number(first)] : named.get(first);
    if (base === undefined) throw new Error(`there is no value for {${source}}`);
    let value: unknown = base;
    for (const [, attribute, key = ''] of rest.matchAll(/\.([^.[]+)|\[([^\]]*)\]/g)) {
      if (attribute !== undefined) throw new Error(`{${source}}: attributes are not read`);
      const next = item(value, /^\d+$/.test(key) ? Number(key) : key);
      if (next === undefined) throw new Error(`{${source}}: there is no [${key}]`);
      value = next;
    }
    return value;
  };
  const expand = (source: string, depth: number): string => {
    let out = '';
    for (let i = 0; i < source.length; i += 1) {
      const char = source[i];
      if (char === source[i + 1] && (char === '{' || char === '}') && depth === 0) {
        out += char;
        i += 1;
      } else if (char === '}') throw new Error("Single '}' encountered in format string");
      else if (char !== '{') out += char;
      else {
        countPieces(1);
        let [level, end] = [1, i + 1];
        for (; end < source.length && level > 0; end += 1)
          level += source[end] === '{' ? 1 : source[end] === '}' ? -1 : 0;
        if (level > 0) throw new Error("Single '{' encountered in format string");
        const [, name, conversion, spec = ''] =
          /^([^!:]*)(?:!([rsa]))?(?::(.*))?$/s.exec(source.slice(i + 1, end - 1)) ?? [];
        if (name === undefined) throw new Error(`the field ${source.slice(i, end)} is not understood`);
        const value = defined(field(name));
        const shown =
          conversion === undefined
            ? value
            : conversion === 's'
              ? text(value)
              : conversion === 'a' && typeof value === 'string'
                ? quoted(value, true)
                : representation(value);
        out += formatted(shown, depth === 0 && spec.includes('{') ? expand(spec, 1) : spec);
        requireText(out.length);
        i = end - 1;
      }
    }
    return out;
  };
  return expand(template, 0);
}

/**
 * Templates that ask for more text, elements or work than a rendering may take, with what the refusal says. Each is one
 * way to make much of little; a method, filter or operator that can do so gets a row.
 */

const TEXT = /^a text (or list )?of \d+ (characters or more|elements); at most 10000000 are made$/;
const WORK = /^the template reads and makes more than 20000000 characters and elements$/;
const STEPS = /^the template takes more than 1000000 steps$/;
const DIGITS = /^a whole number of \d+ digits; at most 100000 are computed with$/;
const SHOWN = /^a whole number of \d+ digits; Python shows at most 4300$/;
const PLACES = /^\d+ digits are more than the 1000 that are printed$/;
const RANGE = /^(range\(\)|slice\(\)) of \d+ elements; at most 100000 are allowed$/;

/** `x` doubled in a loop. */
const grown = (start: string, next: string, last: string): string =>
  `{% set ns = namespace(x=${start}, y=${start}) %}{% for i in range(60) %}${next}{% endfor %}{{ ${last} }}`;
/** Something done again and again to a long text or list. */
const again = (value: string, work: string): string =>
  `{% set s = ${value} %}{% for i in range(9999) %}{% set x = ${work} %}{% endfor %}`;

export const wideningTemplates: readonly [template: string, refusal: RegExp][] = [
  // Widths, places and counts.
  ["{{ '%999999999d' % 1 }}", TEXT],
  ["{{ '%-999999999s' % 'a' }}", TEXT],
  ["{{ '%*d' % (999999999, 1) }}", TEXT],
  ["{{ '%.999999999d' % 1 }}", TEXT],
  ["{{ '%.999999999f' % 1 }}", PLACES],
  ["{{ '%.*g' % (999999999, 1) }}", PLACES],
  ["{{ '{:>999999999}'.format(1) }}", TEXT],
  ["{{ '{:^{}}'.format('a', 10**9) }}", TEXT],
  ["{{ '{:0=99999999,}'.format(1) }}", TEXT],
  ["{{ '{:.999999999e}'.format(1) }}", PLACES],
  ["{{ 'a'.center(999999999) }}", TEXT],
  ["{{ 'a'|center(999999999) }}", TEXT],
  ["{{ 'a'.ljust(10**9) }}", TEXT],
  ["{{ 'a'.rjust(10**9, '.') }}", TEXT],
  ["{{ '-1'.zfill(10**9) }}", TEXT],
  ["{{ '\\t'.expandtabs(10**9) }}", TEXT],
  ["{{ 'x'|indent(10**9, true) }}", TEXT],
  ["{{ ('a\\n' * 99999)|indent('b' * 999) }}", TEXT],
  ['{{ [1]|tojson(10**9) }}', TEXT],
  ["{{ 'a' * 10**15 }}", TEXT],
  ['{{ [1] * 10**15 }}', TEXT],
  ['{{ (1, 2) * 10**15 }}', TEXT],
  ['{{ range(10**12)|list }}', RANGE],
  ['{{ [1]|slice(10**9)|list }}', RANGE],
  ['{{ [1]|batch(10**9, 0)|list }}', TEXT],
  // Many fields, parts and places in one text.
  ["{{ ('%99999s' * 999) % (range(999)|list|map('string')|list|length, 1) }}", /^not enough arguments/],
  ["{{ ('%(a)99999d' * 999) % {'a': 1} }}", TEXT],
  ["{{ ('{0:>99999}' * 999).format(1) }}", TEXT],
  ["{{ ('%%' * 2500000) % () }}", WORK],
  ["{{ ('a' * 30000)|replace('a', 'b' * 1000) }}", TEXT],
  ["{{ ('a' * 30000).replace('', 'b' * 1000) }}", TEXT],
  ["{{ ('a' * 30000).replace('a', 'b' * 1000, 29999) }}", TEXT],
  ["{{ ('a' * 30000)|regex_replace('a', 'b' * 1000) }}", TEXT],
  ["{{ range(99999)|join('x' * 999) }}", TEXT],
  ["{{ ('x' * 999).join(range(99999)|map('string')) }}", TEXT],
  ["{{ ('é' * 1700000)|urlencode }}", TEXT],
  ["{{ ('<' * 3000000)|escape }}", WORK],
  // Numbers.
  ['{{ (9**9)**(9**9) }}', DIGITS],
  ['{{ (10**4000) * (10**4000) * (10**90000) }}', DIGITS],
  [grown('10', '{% set ns.x = ns.x * ns.x %}', 'ns.x > 1'), DIGITS],
  ['{{ 10**5000 }}', SHOWN],
  ['{{ [10**5000] }}', SHOWN],
  ["{{ '%d' % 10**5000 }}", /^unsupported operand|^not all|digits/],
  ["{{ '{:,}'.format(10**5000) }}", SHOWN],
  ['{{ [10**5000]|tojson }}', SHOWN],
  ["{{ ('f' * 200000)|int(0, 16) }}", DIGITS],
  ["{{ ('1_' * 200000)|float }}", DIGITS],
  ["{{ 1.5|round(10**9, 'ceil') }}", DIGITS],
  // Growth by doubling.
  [grown("'ab'", '{% set ns.x = ns.x + ns.x %}', 'ns.x'), TEXT],
  [grown("'ab'", '{% set ns.x = ns.x ~ ns.x %}', 'ns.x'), TEXT],
  [grown("'ab'", '{% set ns.x %}{{ ns.x }}{{ ns.x }}{% endset %}', 'ns.x'), WORK],
  [grown('[1]', '{% set ns.x = ns.x + ns.x %}', 'ns.x'), TEXT],
  [grown('(1,)', '{% set ns.x = ns.x + ns.x %}', 'ns.x'), TEXT],
  [grown('[1]', '{% set _ = ns.x.extend(ns.x) %}', 'ns.x'), WORK],
  [grown('[1]', '{% set ns.x = [ns.x, ns.x] %}', 'ns.x|string'), /^a text of|^the template reads/],
  [grown('[1]', '{% set ns.x = [ns.x, ns.x] %}', 'ns.x|tojson'), /^a text of|^the template reads/],
  [grown('[1]', '{% set ns.x = [ns.x, ns.x] %}{% set ns.y = [ns.y, ns.y] %}', 'ns.x == ns.y'), WORK],
  [grown('[1]', '{% set ns.x = [ns.x, ns.x] %}{% set ns.y = [ns.y, ns.y] %}', 'ns.x < ns.y'), WORK],
  [grown('(1,)', '{% set ns.x = (ns.x, ns.x) %}', '{ns.x: 1}'), /^a text of|^the template reads/],
  // Work on what is long, again and again.
  ...['s|upper', 's|length', 's[i]', "'b' in s", 's.splitlines()'].map((work): [string, RegExp] => [
    again("'a' * 900000", work),
    WORK,
  ]),
  ...['2 in s', 's|list', 's|sort', 's.count(2)', "s|join('')"].map((work): [string, RegExp] => [
    again('[1] * 900000', work),
    WORK,
  ]),
  [again('range(99999)|batch(2)|list', 'dict(s)'), WORK],
  [again("['a' * 5000 ~ 'b', 'a' * 5000 ~ 'c']", 's|sort'), WORK],
  ['{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}', STEPS],
  // Nothing is left of the time for regular expressions after some calls that take long.
  [
    `{% for i in range(9999) %}{% set x = ('a' * 22 ~ '!')|regex_replace('(a+)+$', 'x') %}{% endfor %}`,
    /takes longer than 1 s: it backtracks/,
  ],
  [`{{ ('a' * 40 ~ '!')|regex_replace('(a+)+$', 'x') }}`, /takes longer than 1 s: it backtracks/],
];

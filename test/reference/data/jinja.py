"""Templates and what Jinja 3.1 makes of them in the set-up of lm-evaluation-harness 0.4.13 (StrictUndefined, no autoescape, a last
line break stays, the filter regex_replace). Writes jinja.json: columns, and rows [template, text] or [template, null] where Jinja fails.
Run: python test/reference/data/jinja.py"""

import json
import os
import re
import warnings

from jinja2 import BaseLoader, Environment, StrictUndefined

warnings.simplefilter("ignore")
env = Environment(loader=BaseLoader, undefined=StrictUndefined, keep_trailing_newline=True)
env.filters["regex_replace"] = lambda s, p, r, count=0: re.sub(p, r, s, count=count)

COLUMNS = {
    "x": "it's bill's semi-final (one) of [two] {three} <four>",
    "s": "  The quick  brown fox, the lazy dog.  ",
    "u": "Größe Ελλάς ǅ ﬁ 𝔘 été ΣΑΣ İ",
    "zh": "你好，世界 👩‍👩‍👧 café",
    "q": "say \"it's\"\n\ttab\\ back\r\x07 \u00a0 \u200b é",
    "empty": "",
    "n": 5,
    "m": -7,
    "zero": 0,
    "big": 12345678901234567890,
    "f": 5.0,
    "g": 0.1,
    "h": 2.675,
    "neg": -3.5,
    "tiny": 1e-07,
    "huge": 1e16,
    "third": 0.3333333333333333,
    "t": True,
    "b": False,
    "none": None,
    "lst": ["a", "b", "C"],
    "nums": [3, 1, 2, 10],
    "mixed": ["a", None, 1, 2.0, True],
    "nested": [["x", 1], ["y", 2.5], []],
    "d": {"b": 1, "a": 2, "C": [1, 2]},
    "users": [
        {"name": "Zoe", "age": 30, "city": "Rom", "on": True},
        {"name": "adam", "age": 25, "city": "rom", "on": False},
        {"name": "Bob", "age": 30, "city": "Ulm", "on": True},
    ],
    "choices": {"text": ["red", "green"], "label": ["A", "B"]},
    "key": "B",
    "html": "<p>a <b>bold</b> text</p> <!-- c -->",
    "lines": "one\ntwo\r\nthree\x0bfour\n\nlast\n",
    "Paráfrase": "p",
    "文本": "t",
    "items": "a column called items",
}

# Filters.
T = r"""
{{ x|title }} | {{ x|capitalize }} | {{ x|upper }} | {{ x|lower }}
{{ u|title }} | {{ u|capitalize }} | {{ u|upper }} | {{ u|lower }}
{{ zh|title }} {{ zh|length }} {{ zh|reverse }} {{ zh|list }} {{ zh|first }} {{ zh|last }}
{{ x|wordcount }} {{ zh|wordcount }} {{ ""|wordcount }}
{{ s|trim }}| {{ s|trim(" .") }}| {{ "xxaxx"|trim("x") }}
{{ x|replace("'", "") }} {{ "aaa"|replace("a", "b", 2) }} {{ "abc"|replace("", "-") }} {{ "abc"|replace("", "-", 2) }} {{ 12321|replace(2, "x") }}
{{ x|truncate(5) }} {{ x|truncate(9, true) }} {{ x|truncate(20, false, "!", 0) }} {{ x|truncate }} {{ "foo bar baz qux"|truncate(11) }} {{ "foo bar baz qux"|truncate(11, False, '...', 0) }}
{{ x|truncate(2) }}
{{ "ab"|center(7) }}| {{ "abc"|center(6) }}| {{ "abc"|center(2) }}|
{{ x|escape }} {{ x|e }} {{ html|striptags }} {{ html|e|e }} {{ html|e|forceescape }} {{ html|safe }} {{ html|forceescape }}
{{ lines|indent }} {{ lines|indent(2, true) }} {{ lines|indent("> ", true, true) }} {{ ""|indent }}
{{ g|round(1) }} {{ h|round(2) }} {{ 2.5|round }} {{ 3.5|round }} {{ 42.55|round }} {{ 42|round }} {{ 42.55|round(1, "floor") }} {{ 42.55|round(1, "ceil") }} {{ 1234|round(-2) }} {{ 1250|round(-2) }} {{ 1350|round(-2) }} {{ 1234.5|round(-2) }} {{ neg|round }} {{ -0.4|round }} {{ 7|round(1, 'floor') }}
{{ 1.005|round(2) }} {{ 0.5|round }} {{ 1.5|round }} {{ huge|round }} {{ tiny|round(8) }} {{ "5"|round }}
{{ "5"|int }} {{ "5.9"|int }} {{ "x"|int }} {{ "x"|int(7) }} {{ "ff"|int(0, 16) }} {{ "0xff"|int(0, 16) }} {{ "0b11"|int(0, 2) }} {{ "0b11"|int(0, 0) }} {{ 5.9|int }} {{ -5.9|int }} {{ true|int }} {{ none|int }} {{ " 12 "|int }} {{ "1_000"|int }} {{ "1e3"|int }} {{ "12345678901234567890"|int }} {{ ""|int }} {{ lst|int(3) }} {{ "-3"|int }}
{{ "5"|float }} {{ "x"|float }} {{ "1e3"|float }} {{ 5|float }} {{ true|float }} {{ "inf"|float }} {{ "nan"|float }} {{ "x"|float(1) }} {{ none|float }} {{ "1e400"|float }} {{ " .5 "|float }}
{{ m|abs }} {{ neg|abs }} {{ true|abs }} {{ big|abs }} {{ f|abs }}
{{ "a"|abs }}
{{ lst|join(",") }} {{ mixed|join("/") }} {{ nums|join }} {{ users|join(", ", attribute="name") }} {{ "abc"|join("-") }} {{ d|join }} {{ nested|join(";") }} {{ [none, true, 1.0]|join("/") }} {{ nums|join(1) }} {{ users|join(attribute="age", d="+") }}
{{ lst|first }} {{ lst|last }} {{ d|first }} {{ d|last }} {{ "abc"|first }} {{ range(4)|last }} {{ d.items()|last }}
{{ []|first }}
{{ lst|length }} {{ d|count }} {{ "é"|length }} {{ range(3)|length }} {{ d.keys()|length }}
{{ 5|length }}
{{ lst|map("upper")|list|length }}
{{ lst|map("upper")|length }}
{{ d|list }} {{ "abc"|list }} {{ range(3)|list }} {{ d.items()|list }} {{ d.values()|list }} {{ none|default("x") }} {{ (1,2)|list }}
{{ lst|map("upper")|list }} {{ lst|map("replace", "a", "z")|list }} {{ users|map(attribute="name")|list }} {{ users|map(attribute="zip", default="-")|list }} {{ nested|map("length")|list }} {{ nested|map("first")|list }}
{{ nums|map("string")|join("+") }} {{ ["1","2"]|map("int")|sum }} {{ lst|map("lower")|map("upper")|join }} {{ lst|map("default", "x")|list }} {{ nested|map(attribute=0)|list }} {{ users|map(attribute="name.0")|list }}
{{ lst|map }}
{{ lst|map("nofilter")|list }}
{{ lst|select("equalto", "a")|list }} {{ nums|select(">", 2)|list }} {{ nums|reject("odd")|list }} {{ mixed|select|list }} {{ mixed|reject("none")|list }} {{ users|selectattr("on")|map(attribute="name")|list }} {{ users|rejectattr("on")|map(attribute="name")|list }} {{ users|selectattr("age", "gt", 26)|list|length }} {{ users|selectattr("name", "in", ["Bob", "Zoe"])|map(attribute="name")|join(",") }} {{ nums|select("divisibleby", 2)|list }} {{ mixed|select("string")|list }} {{ mixed|select("number")|list }}
{{ nums|sum }} {{ users|sum(attribute="age") }} {{ [0.1, 0.2]|sum }} {{ []|sum }} {{ nums|sum(start=100) }} {{ nested|sum(start=[]) }}
{{ lst|sum }}
{{ nums|sort }} {{ lst|sort }} {{ lst|sort(case_sensitive=true) }} {{ nums|sort(reverse=true) }} {{ users|sort(attribute="name")|map(attribute="name")|list }} {{ users|sort(attribute="age,name")|map(attribute="name")|list }} {{ users|sort(attribute="age", reverse=true)|map(attribute="name")|list }} {{ d|sort }} {{ "hello"|sort }}
{{ mixed|sort }}
{{ nums|min }} {{ nums|max }} {{ lst|min }} {{ lst|max }} {{ lst|max(case_sensitive=true) }} {{ users|max(attribute="age") }} {{ users|min(attribute="age") }} {{ "hello"|max }}
{{ []|max }}
{{ ["a","A","b"]|unique|list }} {{ ["a","A"]|unique(true)|list }} {{ users|unique(attribute="city")|map(attribute="name")|list }} {{ [1, 1.0, true, 2]|unique|list }}
{{ d|dictsort }} {{ d|dictsort(true) }} {{ {"a": 3, "b": 1}|dictsort(false, "value") }} {{ {"a": 3, "b": 1}|dictsort(reverse=true) }}
{{ users|groupby("age") }}
{% for city, list in users|groupby("city") %}{{ city }}:{{ list|map(attribute="name")|join(",") }};{% endfor %} {% for g in users|groupby("age") %}{{ g.grouper }}={{ g.list|length }} {% endfor %} {% for c, l in users|groupby("city", case_sensitive=true) %}{{ c }}{{ l|length }}{% endfor %} {% for c, l in users|groupby("zip", default="?") %}{{ c }}{{ l|length }}{% endfor %}
{{ nums|batch(3)|list }} {{ nums|batch(3, 0)|list }} {{ nums|slice(3)|list }} {{ nums|slice(3, "x")|list }} {{ range(7)|slice(3)|list }} {{ range(7)|slice(3, 0)|list }}
{{ nums|reverse|list }} {{ "abc"|reverse }} {{ lst|reverse|join }} {{ d|reverse|list }} {{ range(3)|reverse|list }}
{{ d|tojson }} {{ x|tojson }} {{ u|tojson }} {{ zh|tojson }} {{ q|tojson }} {{ mixed|tojson }} {{ users|tojson }} {{ d|tojson(2) }} {{ nested|tojson(indent=1) }} {{ f|tojson }} {{ none|tojson }} {{ tiny|tojson }} {{ {}|tojson(2) }} {{ [[], {}]|tojson(2) }} {{ {1: 2}|tojson }} {{ (1, 2)|tojson }} {{ "\x7f"|tojson }}
{{ x|string }} {{ f|string }} {{ lst|string }} {{ none|string }} {{ d|string|length }}
{{ d|items|list }} {{ lst|default("z") }} {{ nope|default("z") }} {{ nope|d }}| {{ empty|d("e") }}| {{ empty|default("e", true) }} {{ zero|default("e", boolean=true) }} {{ d.nope|default("q") }} {{ lst[9]|default("q") }}
{{ "%.2f"|format(g) }} {{ "%s-%s"|format("a", 1) }} {{ "%(a)s"|format(a=3) }} {{ "%5d|%-5d|%05d|%+d|% d"|format(n, n, n, n, n) }} {{ "%x %X %o %#x %#o %e %E %g %G"|format(255, 255, 8, 255, 8, 12345.678, 0.00012, 1e10, 1e-7) }} {{ "%s %r %a"|format("é'", "é'", "é'") }} {{ "%10.3f|%-10.3f|%.0f|%#.0f"|format(h, h, 2.5, 3.0) }} {{ "%c%c"|format("a", 98) }} {{ "%%"|format() }} {{ "%.3s"|format("abcdef") }} {{ "%*d"|format(5, 3) }} {{ "%i %u"|format(3.9, true) }} {{ "%.3g %g %g %g"|format(1234567.0, 100000.0, 1000000.0, 0.0001) }} {{ "%s"|format(none) }} {{ "%s"|format([1, "a"]) }}
{{ "%d"|format("a") }}
{{ "%s %s"|format(1) }}
{{ "%s"|format(1, 2) }}
{{ 1000|filesizeformat }} {{ 1|filesizeformat }} {{ 500|filesizeformat }} {{ 1234567|filesizeformat }} {{ 1048576|filesizeformat(true) }} {{ 1e30|filesizeformat }}
{{ "a b/ü?&"|urlencode }} {{ {"a": "b c", "d/": 1}|urlencode }} {{ [("a", "é")]|urlencode }} {{ 5|urlencode }}
{{ x|regex_replace("[aeiou]", "_") }} {{ x|regex_replace("(\\w+)-(\\w+)", "\\2 \\1") }} {{ x|regex_replace("\\s+", " ", 1) }} {{ zh|regex_replace("\\w", "x") }} {{ "a1b22"|regex_replace("(?P<n>\\d+)", "<\\g<n>>") }} {{ "Ab"|regex_replace("(?i)a", "z") }} {{ "a.b"|regex_replace("\\.", "-") }} {{ "x\ny\n"|regex_replace("$", "!") }} {{ "[x]"|regex_replace("[][]", "") }} {{ "abc"|regex_replace("", "-") }} {{ "a{b}"|regex_replace("{b}", "c") }} {{ "word boundary"|regex_replace("\\b", "|") }}
{{ lst|nofilter }}
{{ x|attr("upper")() }} {{ d|attr("get")("b") }}
{{ lst|random }}
{{ "<b>"|tojson|upper }} {{ "<b>"|e ~ "<" }} {{ ["<"|e]|join("<") }}
""".strip().split("\n")

# Methods of str.
T += r"""
{{ "".join(lst) }} {{ ",".join(["a"]) }} {{ x.split() }} {{ x.split(" ") }} {{ x.split("'", 1) }} {{ x.rsplit(" ", 1) }} {{ s.split(None, 2) }} {{ s.rsplit(None, 2) }} {{ s.split(maxsplit=1) }} {{ "a,b,,c".split(",") }} {{ "".split() }} {{ "".split(",") }} {{ "a--b--c".rsplit("--", 1) }} {{ "a b c".split(sep=" ", maxsplit=1) }}
{{ "a".split("") }}
{{ s.strip() }}| {{ s.lstrip() }}| {{ s.rstrip() }}| {{ "xyabcyx".strip("xy") }} {{ "xa".lstrip("x") }} {{ "ax".rstrip("x") }} {{ q.strip() }} {{ "\u00a0a\u3000".strip() }}| {{ "\ufeffa".strip() }}
{{ x.title() }} {{ u.title() }} {{ x.capitalize() }} {{ u.capitalize() }} {{ x.swapcase() }} {{ u.upper() }} {{ u.lower() }} {{ "ß".upper() }} {{ "Straße".casefold() }} {{ "ΑΣ".lower() }} {{ "ﬁ".upper() }}
{{ x.find("bill") }} {{ x.find("zz") }} {{ x.find("i", 3) }} {{ x.find("i", 3, 5) }} {{ x.rfind("i") }} {{ x.index("b") }} {{ x.rindex("s") }} {{ zh.find("世") }} {{ zh.find("c") }} {{ x.find("", 3) }} {{ "abc".find("c", -1) }}
{{ x.index("zz") }}
{{ x.count("i") }} {{ x.count("s'") }} {{ "aaa".count("aa") }} {{ "abc".count("") }} {{ "abcabc".count("a", 1) }}
{{ x.startswith("it") }} {{ x.endswith(("x", ">")) }} {{ x.startswith("s", 3) }} {{ x.startswith(("a", "i")) }} {{ "abc".endswith("b", 0, 2) }} {{ "".startswith("") }}
{{ x.replace("'", "’") }} {{ x.replace("i", "I", 1) }} {{ "aa".replace("a", "$&") }} {{ "ab".replace("", "-") }} {{ "abc".replace("b", "") }} {{ "aaa".replace("a", "b", count=1) if false else "" }}
{{ "abc".partition("b") }} {{ "abc".partition("z") }} {{ "abcbd".rpartition("b") }} {{ "abc".rpartition("z") }}
{{ "abc".removeprefix("a") }} {{ "abc".removesuffix("c") }} {{ "abc".removesuffix("") }} {{ "abc".removeprefix("z") }}
{{ lines.splitlines() }} {{ lines.splitlines(true) }} {{ "".splitlines() }} {{ "a\n".splitlines() }} {{ "a\r\n\r\nb".splitlines(keepends=true) }}
{{ "5".isdigit() }} {{ "²".isdigit() }} {{ "²".isdecimal() }} {{ "½".isnumeric() }} {{ "½".isdigit() }} {{ "".isdigit() }} {{ "٣".isdigit() }} {{ "a1".isalnum() }} {{ "a ".isalnum() }} {{ "é".isalpha() }} {{ "a1".isalpha() }} {{ "ab".islower() }} {{ "aB".islower() }} {{ "1".islower() }} {{ "AB1".isupper() }} {{ " \t".isspace() }} {{ "".isspace() }} {{ "Ab Cd".istitle() }} {{ "AB".istitle() }} {{ "It's".istitle() }} {{ "a_1".isidentifier() }} {{ "1a".isidentifier() }} {{ "a\n".isprintable() }} {{ "é".isascii() }} {{ "".isascii() }} {{ "ª".islower() }}
{{ "5".zfill(3) }} {{ "-5".zfill(4) }} {{ "abc".zfill(2) }} {{ "ab".ljust(4, "-") }} {{ "ab".rjust(4) }} {{ "ab".center(5, "*") }} {{ "abc".center(6, "*") }} {{ "abc".center(4) }}|
{{ "a\tb".expandtabs() }} {{ "a\tb\n\tc".expandtabs(4) }}
{{ "{} {}".format(n, f) }} {{ "{1}{0}".format("a", "b") }} {{ "{a:>5}|{a:<5}|{a:^5}|{a:*^7}".format(a="x") }} {{ "{:.2f} {:,} {:_} {:05d} {:+d} {:x} {:#x} {:b} {:e} {:%} {:.1%}".format(h, 1234567, 1234567, 42, 7, 255, 255, 5, 12345.678, 0.256, 0.256) }} {{ "{!r} {!s}".format("it's", none) }} {{ "{0[a]} {0[C][1]}".format(d) }} {{ "{{}}".format() }} {{ "{:{w}}".format("a", w=4) }}| {{ "{:10.3}|".format("abcdef") }} {{ "{:g} {:g} {:G}".format(1e-5, 123456789.0, 1e20) }} {{ "{}".format(1e16) }} {{ "{:,.2f}".format(1234567.891) }} {{ "{:010,.1f}".format(1234.5) }} {{ "{:=+6d}".format(5) }} {{ "{:<6}|{:^6}|".format(3, 4) }} {{ "{:.3}".format(3.14159) }} {{ "{:.0f} {:.0f}".format(0.5, 1.5) }} {{ "{:c}".format(97) }} {{ "{:s}".format("x") }} {{ "{:>8.3e}".format(0.00012345) }} {{ "{:.3}".format(1234567.0) }} {{ "{:n}".format(12) }} {{ "{:.4}".format(100.0) }} {{ "{:.1f}".format(0.25) }} {{ "{:.2f}".format(0.125) }} {{ "{:6.2f}|".format(-1.5) }} {{ "{}".format(true) }} {{ "{:d}".format(true) }} {{ "{:>6}".format(true) }} {{ "{a[x]}".format(a={"x": 3}) }} {{ "{:,}".format(123) }} {{ "{:,}".format(1234.5) }} {{ "{:08.3f}".format(-3.14159) }}
{{ "{:d}".format("a") }}
{{ "{:d}".format(1.5) }}
{{ "{} {}".format(1) }}
{{ "{a}".format_map({"a": 1}) }}
{{ "abc".nomethod() }}
{{ "abc".upper }}
""".strip().split("\n")

# Lists, dicts, tuples, numbers.
T += r"""
{{ lst.index("b") }} {{ lst.count("a") }} {{ nums.index(2) }} {{ (1,2,1).count(1) }} {{ (1,2).index(2) }} {{ [1, 2, 1].index(1, 1) }}
{{ lst.index("zz") }}
{% set _ = lst.append("z") %}{{ lst }} {% set _ = lst.extend([1, 2]) %}{{ lst }} {{ lst.pop() }} {{ lst.pop(0) }} {{ lst }} {% set _ = lst.insert(1, "i") %}{% set _ = lst.remove("C") %}{{ lst }} {% set _ = lst.reverse() %}{{ lst }} {{ lst.copy() }} {% set _ = nums.sort() %}{{ nums }} {% set _ = nums.sort(reverse=true) %}{{ nums }} {% set _ = nums.clear() %}{{ nums }} {{ lst.append(1) }}
{{ d.keys() }} {{ d.values() }} {{ d.items() }} {{ d.get("a") }} {{ d.get("zz") }} {{ d.get("zz", 3) }} {{ d.pop("a") }} {{ d }} {% set _ = d.update({"z": 1}) %}{{ d }} {{ d.setdefault("q", 9) }} {{ d.copy() }} {% set _ = d.clear() %}{{ d }}
{{ d.items }}
{{ d["a"] }} {{ d.a }} {{ d["C"][1] }} {{ d.C.0 }} {{ choices.text[choices.label.index(key)] }} {{ users[0].name }} {{ users[-1]["name"] }} {{ lst[-1] }} {{ lst[:2] }} {{ lst[::-1] }} {{ x[3:8] }} {{ x[::-3] }} {{ zh[1:3] }} {{ zh[-4:] }} {{ (1,2,3)[1:] }} {{ x[-3] }} {{ range(10)[2:5]|list }} {{ nums[1::2] }} {{ x[100:] }}|
{{ lst[7] }}
{{ d.nope }}
{{ d["nope"] }}
{{ nope }}
{{ nope.x }}
{{ nope == 1 }}
{{ nope ~ "x" }}
{% if nope %}x{% endif %}
{% for i in nope %}x{% endfor %}
{{ not nope }}
{{ none }} {{ t }} {{ b }} {{ f }} {{ g }} {{ tiny }} {{ huge }} {{ third }} {{ big }} {{ neg }} {{ lst }} {{ mixed }} {{ nested }} {{ d }} {{ users }} {{ q }} {{ [q] }} {{ [u, zh] }} {{ {"k": none} }} {{ () }} {{ (1,) }} {{ (1, "a") }} {{ {} }} {{ {1: 2, none: 3, true: 4} }} {{ [1e3, 1.5e-10, 1e22, 123456789012345680.0, 0.0001, 0.00001] }}
{{ 1e3 }} {{ 1.0 }} {{ 1_000 }} {{ 0xff }} {{ 0b11 }} {{ 0o17 }} {{ 1.5e-3 }} {{ 1E5 }} {{ .5 if false else 2 }}
{{ 1 + 2 }} {{ 1 + 2.0 }} {{ 7 / 2 }} {{ 6 / 2 }} {{ 7 // 2 }} {{ -7 // 2 }} {{ 7 % 3 }} {{ -7 % 3 }} {{ 7 % -3 }} {{ 7.5 % 2 }} {{ -7.5 // 2 }} {{ 2 ** 10 }} {{ 2 ** -1 }} {{ 2 ** 0.5 }} {{ 2 ** 100 }} {{ "-" * 5 }} {{ 3 * "ab" }} {{ [1] * 3 }} {{ [1] + [2] }} {{ (1,) + (2,) }} {{ "a" + "b" }} {{ true + 1 }} {{ -n }} {{ +n }} {{ - -n }} {{ -f }} {{ n - 1 }} {{ f * 2 }} {{ big + 1 }} {{ big * big }} {{ 9007199254740993 }} {{ 9007199254740992 + 1 }} {{ big // 7 }} {{ big % 7 }} {{ -big % 7 }} {{ 2 ** 3 ** 2 }} {{ -2 ** 2 }} {{ 1 - 2 - 3 }} {{ 2 * 3 + 4 * 5 }} {{ 10 / 4 / 5 }} {{ 0.1 + 0.2 }} {{ 1e308 * 10 }} {{ -1e308 * 10 }}
{{ 1 / 0 }}
{{ 1 % 0 }}
{{ "a" + 1 }}
{{ 1 + "a" }}
{{ none + 1 }}
{{ "%s is %d" % ("a", 3) }} {{ "%s" % "b" }} {{ "%.1f%%" % 12.345 }} {{ "%(a)s" % {"a": 1} }} {{ "%s" % lst }}
{{ none ~ "x" }} {{ lst ~ "" }} {{ d ~ "" }} {{ t ~ "x" }} {{ f ~ "x" }} {{ 1 ~ 2 }} {{ "a" ~ 1 + 2 }} {{ 1 ~ 2 ~ 3 }} {{ "a" ~ "b"|upper }} {{ 1 + 2 ~ 3 }}
{{ "a" ~ 1 + 2 ~ "b" }}
{{ 1 < n < 10 }} {{ 1 < n > 4 }} {{ n == 5.0 }} {{ n != 5 }} {{ t == 1 }} {{ "a" < "b" }} {{ "Z" < "a" }} {{ [1, 2] < [1, 3] }} {{ (1, 2) == (1, 2) }} {{ [1] == (1,) }} {{ lst == ["a", "b", "C"] }} {{ d == {"a": 2, "b": 1, "C": [1, 2]} }} {{ none == none }} {{ "1" == 1 }} {{ n in nums }} {{ 3 in nums }} {{ "a" in x }} {{ "b" in d }} {{ "z" not in d }} {{ 1 in [true] }} {{ not 1 == 2 }} {{ 1 < 2 == true }} {{ n >= 5 and n <= 5 }} {{ "é" > "z" }} {{ 9007199254740993 == 9007199254740992.0 }} {{ 1 in (1, 2) }} {{ "" in "abc" }} {{ none in [none] }} {{ 2 in range(3) }}
{{ 1 < "a" }}
{{ 1 in "a" }}
{{ none < 1 }}
{{ n or 3 }} {{ zero or 3 }} {{ empty or "e" }} {{ n and 3 }} {{ zero and 3 }} {{ not zero }} {{ not lst }} {{ none or lst }} {{ [] or {} }} {{ 0.0 or "f" }} {{ true and none }}
{{ "a" if n else "b" }} {{ "a" if zero else "b" }} {{ "a" if zero else "b" if n else "c" }} {{ (1 if t else 2) + 1 }} {{ 1 if t else 2 + 1 }} {{ "x" if n is odd else "y" }}
{{ "a" if zero }}|
{{ "a" if n }}
{{ ("a" if zero)|default("d") }}
{{ f.is_integer() }} {{ n.bit_length() }} {{ (5).bit_length() }}
{{ lst() }}
{{ d.keys()|list }} {{ d.items()|list }} {% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %} {% for k in d %}{{ k }}{% endfor %}
{{ lst|map("upper") }}
{{ range(5) }} {{ range(2, 5)|list }} {{ range(5, 0, -2)|list }} {{ range(0)|list }} {{ range(1, 10, 3) }}
{{ dict(a=1, b="x") }} {{ dict([("k", 2)]) }}
{{ items }} {{ Paráfrase }} {{ 文本 }} {{ "é" }} {{ "\u00e9\x41\101\t|\q" }}
""".strip().split("\n")

# Tests.
T += r"""
{{ n is defined }} {{ nope is defined }} {{ nope is undefined }} {{ d.zz is defined }} {{ n is not defined }} {{ none is none }} {{ n is none }} {{ n is number }} {{ f is number }} {{ t is number }} {{ x is number }} {{ n is integer }} {{ f is integer }} {{ t is integer }} {{ f is float }} {{ n is float }} {{ t is boolean }} {{ n is boolean }} {{ t is true }} {{ b is false }} {{ n is true }} {{ x is string }} {{ lst is string }} {{ d is mapping }} {{ lst is mapping }} {{ lst is sequence }} {{ x is sequence }} {{ d is sequence }} {{ n is sequence }} {{ lst is iterable }} {{ n is iterable }} {{ x is iterable }} {{ range is callable }} {{ x is callable }} {{ x.upper is callable }}
{{ 7 is odd }} {{ 7 is even }} {{ 7 is divisibleby(7) }} {{ 7 is divisibleby 2 }} {{ "a" is lower }} {{ "A" is upper }} {{ "1" is lower }} {{ n is in nums }} {{ 3 is in nums }} {{ n is eq 5 }} {{ n is equalto(5) }} {{ n is ne 5 }} {{ n is gt 4 }} {{ n is greaterthan 5 }} {{ n is ge 5 }} {{ n is lt 4 }} {{ n is lessthan 6 }} {{ n is le 5 }} {{ n is sameas n }} {{ t is sameas true }} {{ none is sameas none }} {{ x is escaped }} {{ x|e is escaped }} {{ "upper" is filter }} {{ "nofilter" is filter }} {{ "odd" is test }} {{ n is odd and n is number }} {{ not n is odd }} {{ n is odd == true }} {{ n is not odd }} {{ "odd" is not test }} {{ nums|select("odd")|list is iterable }} {{ n + 1 is odd }} {{ n is odd or false }} {{ -1 is odd }}
{{ n is nosuchtest }}
{{ n is odd is even }}
{{ nope is odd }}
{{ nope is string }} {{ nope is none }} {{ nope is mapping }} {{ nope is number }}
{{ nope is iterable }}
{{ "a" is odd }}
""".strip().split("\n")

# Statements and white space.
T += [
    "{% raw %}{{x}} {% if %}{% endraw %}!",
    "a {%- raw -%}  b  {%- endraw -%}  c",
    "{% with z=3 %}{{z}}{% endwith %}",
    "{% with a=n, b=2 %}{{a+b}}{% endwith %}{{ a is defined }}",
    "{% with a, c = 1, 2 %}{{ a }}{% endwith %}",
    "{% set a = 1 %}{% with a=2, b=a %}{{ a }}{{ b }}{% endwith %}{{ a }}",
    "{% with %}{% set k = 1 %}{{ k }}{% endwith %}{{ k is defined }}",
    "{% for a,b in [('x',1)] %}{{a}}{{b}}{% endfor %}",
    "{% for a, (b, c) in [(1, (2, 3))] %}{{a}}{{b}}{{c}}{% endfor %}",
    "{% for i in nums %}{{ loop.index }}/{{ loop.length }}:{{ i }}{% if not loop.last %}, {% endif %}{% endfor %}",
    "{% for i in nums %}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ loop.depth }}{{ loop.depth0 }} {% endfor %}",
    "{% for i in nums %}{{ loop.previtem is defined }}{{ loop.nextitem|default('-') }}{{ loop.cycle('a', 'b') }}{{ loop.changed(i > 1) }} {% endfor %}",
    "{% for i in [] %}x{% else %}none{% endfor %}",
    "{% for i in nums if i > 1 %}{{ i }}{{ loop.index }} {% else %}none{% endfor %}",
    "{% for i in nums if i > 99 %}{{ i }}{% else %}none{% endfor %}",
    "{% for n in nums recursive %}{{ n }}{% endfor %}",
    "{% for x in [{'v': 1, 'c': [{'v': 2, 'c': []}]}] recursive %}{{ x.v }}{{ loop.depth }}({{ loop(x.c) }}){% endfor %}",
    "{% for c in 'abc' %}{{ c }}.{% endfor %}",
    "{% for i in range(3) %}{% for j in range(2) %}{{ i }}{{ j }}{{ loop.index }} {% endfor %}{% endfor %}",
    "{% set s2 = 0 %}{% for i in nums %}{% set s2 = s2 + i %}{{ s2 }} {% endfor %}{{ s2 }}",
    "{% set ns = namespace(s=0) %}{% for i in nums %}{% set ns.s = ns.s + i %}{% endfor %}{{ ns.s }}",
    "{% set a, b = 1, 2 %}{{ a }}{{ b }}",
    "{% set a = 1, 2 %}{{ a }}",
    "{% set k %}block {{ n }}{% endset %}[{{ k }}]",
    "{% set k | upper | replace('B', 'c') %}block{% endset %}{{ k }}",
    "{% if n > 3 %}big{% elif n > 1 %}mid{% else %}small{% endif %}",
    "{% if zero %}a{% elif empty %}b{% else %}c{% endif %}",
    "{% if n == 5 %}{% set r = 1 %}{% endif %}{{ r }}",
    "{% if n == 6 %}{% set r = 1 %}{% endif %}{{ r }}",
    "{% if lst[0] == 'a' and 'b' in lst %}yes{% endif %}",
    "{% macro m(a, b=2, *c) %}x{% endmacro %}",
    "{% macro m(a, b=2) %}{{ a }}-{{ b }}{% endmacro %}{{ m(1) }} {{ m(1, 3) }} {{ m(b=5, a=4) }}",
    "{% macro m(a, b=a) %}{{ a }}{{ b }}{% endmacro %}{{ m(1) }}",
    "{% macro m() %}{{ varargs }}{{ kwargs }}{% endmacro %}{{ m(1, 2, k=3) }}",
    "{% macro m() %}x{% endmacro %}{{ m(1) }}",
    "{% macro m(a) %}{{ a }}{% endmacro %}{{ m() }}",
    "{% macro m() %}<{{ caller() }}>{% endmacro %}{% call m() %}in {{ n }}{% endcall %}",
    "{% macro m() %}<{{ caller(7) }}>{% endmacro %}{% call(v) m() %}v={{ v }}{% endcall %}",
    "{% macro f(k) %}{{ k }}{% if k > 0 %}{{ f(k - 1) }}{% endif %}{% endmacro %}{{ f(3) }}",
    "{% macro m() %}{{ n }}{% endmacro %}{{ m()|length }}{{ m() ~ 'x' }}",
    "{% filter upper %}a {{ x[:2] }} b{% endfilter %}",
    "{% filter replace('a', 'b') | upper %}a{% endfilter %}",
    "{% block title %}T {{ n }}{% endblock %}|{% block two scoped %}x{% endblock two %}",
    "{% print n, 3 %}",
    "{% include 'a' %}",
    "{% import 'a' as b %}",
    "{% extends 'a' %}",
    "{% nosuch %}",
    "{% for i in nums %}{% break %}{% endfor %}",
    "a {# comment #} b {#- tight -#} c",
    "a\n  {%- if true -%}  b  {%- endif -%}\n c",
    "a\n  {% if true %}\n b\n  {% endif %}\n c\n",
    "a {{- n -}} b {{ n }} c {{+ n }}",
    "line one\r\nline two\rline three\n",
    "{{ 'a\r\nb' }}",
    "trailing\n\n",
    "{{ x",
    "{{ }}",
    "{% if n %}",
    "{{ n }} }} %}",
    "{{ 'a' 'b' }}",
    "{{ [1, 2, ] }}{{ {'a': 1, } }}{{ (1, 2, ) }}",
    "{{ 1 2 }}",
    "{{ x! }}",
    "{{ n.__class__ }}",
    "{{ ''.__class__ }}",
    "{{ {'a': {'b': [1, {'c': 'deep'}]}}['a'].b[1].c }}",
    "{{ [1, 2, 3][1:][0] }}",
    "{{ (n, m)[0] }}",
    "{{ users|map(attribute='name')|map('lower')|sort|join(' < ') }}",
    "{{ {'x': n}.x }} {{ {'a b': 1}['a b'] }}",
    "{{ x.split(' ')[-1][:-1] }}",
    "{{ n|string + 'x' }} {{ -n|abs }} {{ (-n)|abs }} {{ 2 * n|string }} {{ 'a' + n|string|center(3) }}",
    "{{ m|abs + 1 }} {{ not zero|default(1) }}",
    "{{ lst | join(', ') | upper }}",
    "{{ 'x'.join(lst|map('upper')) }}",
    "{% set c = cycler('a', 'b') %}{{ c.next() }}{{ c.next() }}{{ c.next() }}{{ c.current }}",
    "{% set j = joiner(';') %}{% for i in lst %}{{ j() }}{{ i }}{% endfor %}",
    "{% set ns = namespace(a=1, b='x') %}{{ ns }}",
    "{% set d2 = dict(a=1) %}{% set _ = d2.update(b=2) %}{{ d2 }}",
    "{{ loop is defined }}{% for i in [1] %}{{ loop is defined }}{% endfor %}",
    "{% autoescape false %}{{ html }}{% endautoescape %}",
    "{{ [x, q, \"it's\", 'say \"hi\"', 'both \\' \"'] }}",
    "{{ {'a': 1}|length }} {{ 'a' is in ['a'] }} {{ 'a' in {'a': 1} }}",
    "{% for k, v in {'b': 1, 'a': 2}|dictsort %}{{ k }}{{ v }}{% endfor %}",
    "{% for i in '你好' %}{{ i }}-{% endfor %}{{ 文本 ~ Paráfrase }}",
    "{% set été = 3 %}{{ été }}",
    "{{ 'A' ~ ['A','B','C'].index(key) }} {{ ['A','B','C'][1] }} {{ 'ABCD'[n - 4] }}",
    "{%- for c in choices.text %}\n{{ 'AB'[loop.index0] }}. {{ c }}{%- endfor %}\nAnswer:",
    "{{ question|default('none') }} {{ lst|default([])|length }}",
    "{{ (lst + nums)|length }} {{ lst is defined and lst|length > 0 }}",
    "{{ '%s' % (1,) }} {{ '%s %s' % (1, lst) }}",
    "{{ x if x is string and x|length > 3 else 'short' }}",
    "{{ 10 // 3 * 3 + 10 % 3 }} {{ (10 / 3)|round(3) }} {{ 1 if 0.0 else 2 }} {{ 100 * third }}",
]


def render(template):
    try:
        return env.from_string(template).render(**json.loads(json.dumps(COLUMNS)))
    except Exception:
        return None


def expressions():
    """Rows of several expressions are taken apart, so that each counts by itself."""
    for row in T:
        parts = re.split(r"(?<=\}\}) *\|?(?= |$)", row)
        alone = all(re.fullmatch(r"\s*\{\{(?:(?!\}\}).|\}\}(?=\}))*\}\}\s*", part) for part in parts if part.strip())
        yield from ([part.strip() for part in parts if part.strip()] if alone and "set" not in row else [row])


rows = [[t, render(t)] for t in dict.fromkeys(expressions())]
rows = [[t, None if r is not None and " at 0x" in r else r] for t, r in rows]
path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "jinja.json")
with open(path, "w", encoding="utf-8") as file:
    json.dump({"columns": COLUMNS, "rows": rows}, file, ensure_ascii=True, indent=0)
    file.write("\n")
print(len(rows), "templates,", sum(r is None for _, r in rows), "of them fail in Jinja")

# How Python prints the numbers of a Parquet file, whatever they stand in.
import pyarrow as pa  # noqa: E402
import pyarrow.parquet as pq  # noqa: E402

pair = pa.struct([("a", pa.float32()), ("b", pa.int32())])
table = pa.table(
    {
        "double": pa.array([1.0, 2.5, None, 1e16]),
        "int": pa.array([9007199254740993, 2, -9007199254740993, None], pa.int64()),
        "list": pa.array([[1.0, 2.0], [], None, [0.1]], pa.list_(pa.float64())),
        "struct": pa.array([{"a": 1.0, "b": 1}, {"a": 0.1, "b": 2}, None, {"a": -0.0, "b": 3}], pair),
        "structs": pa.array([[{"a": 1.0, "b": 1}], [], None, [{"a": None, "b": None}]], pa.list_(pair)),
        "bool": pa.array([True, False, None, True]),
    }
)
folder = os.path.dirname(os.path.abspath(__file__))
pq.write_table(table, os.path.join(folder, "numbers.parquet"))
with open(os.path.join(folder, "numbers.json"), "w", encoding="utf-8") as file:
    json.dump([str(row) for row in table.to_pylist()], file, indent=0)
    file.write("\n")

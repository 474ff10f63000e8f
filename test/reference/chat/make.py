"""Conversations as transformers 5.24 renders them by a chat template, in three tables of chat.json:

    renderings   every template of templates/ (short, ours, each in the style of a model family) x conversations x options
    forms        single lines for white space, undefined names, tojson, loops, the sandbox
    formats      strftime_now of a fixed moment

`rendered` is null where transformers raises; `error` says what it raises. Run: /path/to/python make.py (transformers, jinja2)
"""
import json
from datetime import datetime
from pathlib import Path

import transformers
from tokenizers import Tokenizer, models
from transformers.utils import chat_template_utils

here = Path(__file__).parent.resolve()
NOW = datetime(2026, 3, 7, 9, 5, 3, 42000)
SPECIAL = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"}


class Clock(datetime):
    @classmethod
    def now(cls, tz=None):
        return NOW


chat_template_utils.datetime = Clock
tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=Tokenizer(models.BPE()), **SPECIAL)

user = lambda content: {"role": "user", "content": content}
assistant = lambda content, **more: {"role": "assistant", "content": content, **more}
system = lambda content: {"role": "system", "content": content}

TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "weather",
            "description": "The weather of a place <now> & 'later'",
            "parameters": {
                "type": "object",
                "properties": {
                    "place": {"type": "string", "description": "Größe, 東京"},
                    "unit": {"type": "string", "enum": ["c", "f"], "default": "c"},
                    "days": {"type": "array", "items": {"type": "integer"}, "default": [1, 2.0]},
                },
                "required": ["place"],
            },
        },
    },
    {"type": "function", "function": {"name": "now", "description": "The time", "parameters": {"type": "object", "properties": {}}}},
]
CALL = [{"type": "function", "function": {"name": "weather", "arguments": {"place": "Ulm", "days": [1], "x": None, "y": True}}}]

CONVERSATIONS = {
    "one": [user("What is 2 + 2?")],
    "system": [system("Answer in one word."), user("  What is red?\n")],
    "turns": [user("Hello"), assistant(" Hi! "), user("And\n\nnow?"), assistant("Now.")],
    "system_turns": [system("Be brief. /no_think"), user("a"), assistant("<think>\nso\n</think>\n\nb"), user("c")],
    "unicode": [user("Größe 你好 👩‍👩‍👧 \u2028 ' \" < > & \\n {{ x }} {% raw %}"), assistant("é\r\nü\tz")],
    "empty": [user(""), assistant("")],
    "white": [user("   "), assistant("\n\n x \n\n")],
    "twice": [user("a"), user("b")],
    "starts_with_answer": [assistant("a"), user("b")],
    "only_system": [system("s")],
    "tool": [user("Weather?"), {"role": "assistant", "tool_calls": CALL}, {"role": "tool", "content": "12 °C"}, assistant("It is 12 °C.")],
    "tool_pending": [user("Weather?"), assistant("", tool_calls=CALL, thinking="hm"), {"role": "tool", "content": "{\"t\": 12}"}],
    "parts": [user([{"type": "image"}, {"type": "text", "text": " look "}]), assistant([{"type": "text", "text": "seen"}])],
    "parts_system": [system([{"type": "text", "text": "s"}]), user([{"type": "text", "text": "q"}])],
    "reasoning": [user("q"), assistant("a", reasoning_content="r\n"), user("p"), assistant("b", reasoning="s")],
    "missing": [{"role": "user"}, assistant(None)],
    "developer": [{"role": "developer", "content": "d"}, user("u")],
}
OPTIONS = {
    "plain": {},
    "prompt": {"add_generation_prompt": True},
    "continue": {"continue_final_message": True},
    "tools": {"add_generation_prompt": True, "tools": TOOLS},
    "more": {
        "add_generation_prompt": True,
        "documents": [{"title": "t", "text": "one"}, {"title": "u", "text": "two"}],
        "controls": {"citations": True, "length": "short"},
        "enable_thinking": False,
        "date_string": "1 Jan 2026",
        "reasoning_effort": "high",
    },
}
#: Every conversation with these options; the rest only where they say something.
EVERYWHERE = ["plain", "prompt", "continue"]
SOMEWHERE = {"one": ["tools", "more"], "system": ["tools", "more"], "system_turns": ["more"], "tool": ["tools"], "tool_pending": ["tools"]}


def rendered(template, conversation, options):
    try:
        return {"rendered": tokenizer.apply_chat_template(conversation, chat_template=template, tokenize=False, **options)}
    except Exception as error:  # whatever it is, the text is none
        return {"rendered": None, "error": f"{type(error).__name__}: {error}"[:160]}


FORMS = r"""
[{{ nothing }}]
[{{ nothing or 'x' }}]
[{{ nothing is defined }}{{ nothing is undefined }}{{ nothing is none }}{{ nothing is string }}{{ nothing is mapping }}]
[{{ nothing is iterable }}{{ nothing is sequence }}{{ nothing is number }}{{ nothing is callable }}]
[{{ nothing.x }}]
[{{ nothing['x'] }}]
[{{ messages[0].nothing }}]
[{{ messages[0].nothing.x }}]
[{{ messages[0]['nothing'] is defined }}]
[{{ messages[9] }}]
[{{ messages[9].role }}]
[{% for x in nothing %}{{ x }}{% else %}none{% endfor %}]
[{{ nothing | length }}]
[{{ nothing | list }}]
[{{ nothing | default('d') }}{{ none | default('d') }}{{ '' | default('d', true) }}]
[{{ nothing | trim }}{{ nothing | upper }}{{ nothing | string }}]
[{{ nothing | join(',') }}]
[{{ nothing | first }}]
[{{ nothing | tojson }}]
[{{ nothing | int }}]
[{{ nothing | float }}]
[{{ nothing | replace('a', 'b') }}]
[{{ nothing ~ 'a' }}]
[{{ nothing + 'a' }}]
[{{ 'a' + nothing }}]
[{{ nothing == nothing }}{{ nothing != nothing }}{{ nothing == other }}{{ nothing == none }}{{ nothing == '' }}{{ nothing != 'a' }}]
[{{ nothing < 1 }}]
[{{ nothing in ['a'] }}{{ 'a' in nothing }}{{ nothing not in [] }}]
[{{ nothing in 'abc' }}]
[{{ not nothing }}{{ nothing and true }}]
[{{ nothing() }}]
[{{ messages.nothing() }}]
[{{ -nothing }}]
[{{ nothing[1:] }}]
[{{ 'abc'[nothing:] }}]
[{{ [nothing] }}{{ {'a': nothing} }}]
[{{ ('a' if false) }}{{ ('a' if false) is defined }}]
[{{ ('a' if false) == none }}{{ not ('a' if false) }}]
[{{ 'x'.join(nothing) }}]
[{{ [1, 2] | map('nothing') | list }}]
[{{ messages | map(attribute='nothing') | list }}]
[{{ messages | map(attribute='nothing', default='-') | join }}]
[{{ messages | selectattr('nothing') | list | length }}]
[{{ messages | selectattr('role', 'equalto', 'user') | map(attribute='content') | join('|') }}]
[{{ messages | selectattr('nothing', 'defined') | list | length }}{{ messages | rejectattr('nothing', 'defined') | list | length }}]
[{{ namespace().x is defined }}{{ namespace(a=1).a }}]
[{% set ns = namespace(a=1) %}{% set ns.a = ns.a + 1 %}{{ ns.a }}{{ ns.b is defined }}]
[{% set ns = namespace(_a=1) %}]
[{% set ns = namespace() %}{% set ns._a = 1 %}]
[{{ 1 | tojson }}{{ 1.0 | tojson }}{{ true | tojson }}{{ none | tojson }}{{ 'a\n"é\u2028<&>' | tojson }}]
[{{ {'b': 1, 'a': [1, 2.5, {}], 'c': []} | tojson }}]
[{{ {'b': 1, 'a': [1, 2.5, {}], 'c': []} | tojson(indent=2) }}]
[{{ {'b': 1, 'a': [1]} | tojson(indent=0) }}]
[{{ {'b': 1, 'a': [1]} | tojson(indent='--') }}]
[{{ {'b': 1, 'a': ['é']} | tojson(ensure_ascii=true, sort_keys=true) }}]
[{{ {'b': 1, 'a': ['é']} | tojson(true) }}]
[{{ {'b': 1, 'a': [1, 2]} | tojson(separators=(',', ':')) }}]
[{{ {'b': 1, 'a': [1, 2]} | tojson(indent=1, separators=(' ; ', '=')) }}]
[{{ {1: 2, none: 3, true: 4, 1.5: 5} | tojson }}]
[{{ (1, 2) | tojson }}{{ [] | tojson(indent=2) }}{{ {} | tojson(indent=2) }}]
[{{ 1e16 | tojson }}{{ 1e-7 | tojson }}{{ 12345678901234567890 | tojson }}]
[{{ {'a': 1} | tojson + 'x' }}]
[{{ 'x' + {'a': 1} | tojson }}]
[{{ ({'a': 1} | tojson)[:-1] }}{{ ({'a': 1} | tojson) | length }}{{ ({'a': "'"} | tojson) is string }}]
[{{ range(3) | tojson }}]
[{{ namespace() | tojson }}]
[{{ messages[0] | tojson }}]
[{{ messages[0] | string }}{{ messages[0].content | string }}]
[{% for x in [1, 2, 3, 4] %}{% if x == 2 %}{% continue %}{% endif %}{% if x == 4 %}{% break %}{% endif %}{{ x }},{% endfor %}]
[{% for x in [1, 2] %}{% for y in [1, 2, 3] %}{% if y == 2 %}{% break %}{% endif %}{{ x }}{{ y }} {% endfor %}{% endfor %}]
[{% for x in [1, 2] %}{% break %}{% else %}e{% endfor %}]
[{% for x in [] %}{% break %}{% else %}e{% endfor %}]
[{% for x in [1, 2, 3] %}{% if x > 1 %}{{ loop.index }}{% continue %}{% endif %}{{ x }}{% endfor %}]
[{% for x in [1, 2, 3] if x != 2 %}{% if loop.last %}{% continue %}{% endif %}{{ x }}{% endfor %}]
[{% for x in [1, 2] %}{% set y %}a{% break %}{% endset %}{{ y }}{% endfor %}]
[{% for x in [1, 2] %}{% filter upper %}a{% break %}{% endfilter %}{% endfor %}]
[{% for x in [1, 2] %}{% with z = 1 %}a{% continue %}{% endwith %}b{% endfor %}]
[{% break %}]
[{% continue %}]
[{% macro m() %}{% break %}{% endmacro %}{% for x in [1] %}{{ m() }}{% endfor %}]
[{% generation %}a{{ 1 }}{% endgeneration %}b]
[{% for m in messages %}{% generation %}{{ m.content }}{% set q = 1 %}{% endgeneration %}{{ q }}{% endfor %}]
[{% set a = 1 %}{% generation %}{% set a = 2 %}{{ a }}{% endgeneration %}{{ a }}]
[{% for x in [1, 2] %}{% generation %}a{% break %}{% endgeneration %}{% endfor %}]
[{% generation %}]
[{{ raise_exception('no') }}]
[{% if false %}{{ raise_exception('no') }}{% endif %}]
[{{ messages.append(1) }}]
[{% set _ = messages.append(1) %}]
[{% set l = [] %}{% set _ = l.append(1) %}]
[{{ messages.pop() }}]
[{{ messages[0].update({'a': 1}) }}]
[{{ messages[0].pop('role') }}]
[{{ messages[0].get('role') }}{{ messages[0].get('x', 'y') }}{{ messages[0].keys() | list }}]
[{{ messages[0].items() | list }}]
[{% for k, v in messages[0].items() %}{{ k }}={{ v }};{% endfor %}]
[{{ messages.__class__ }}]
[{{ ''.__class__ }}]
[{{ messages[0].__class__ is defined }}]
[{{ dict(a=1) }}{{ dict([['a', 1]]).a }}]
[{{ dict.fromkeys(['a', 'b'], 1) }}]
[{{ messages[-1].content }}{{ messages[:-1] | length }}{{ messages[::-1][0].role }}]
[{{ bos_token }}{{ eos_token }}{{ unk_token }}{{ pad_token }}{{ sep_token }}]
[{{ tools is none }}{{ tools is defined }}{{ documents is none }}{{ add_generation_prompt }}{{ add_generation_prompt is defined }}]
[{{ '%s-%d' | format('a', 3) }}{{ 'a,b'.split(',') }}{{ 'ab'.title() }}]
[{{ 'a' is in(['a']) }}{{ 'a' in {'a': 1} }}]
[{{ ' x ' | trim }}{{ '  x' | indent(2) }}{{ 'abc' | capitalize }}]
[{{ "a" "b" }}]
[{{ cycler('a', 'b').next() }}]
[{{ loop is defined }}]
[{{ 1 / 0 }}]
[{{ 'a' | nofilter }}]
[{% include 'x' %}]
[{% import 'x' as y %}]
[{{ range(200000) | length }}]
[{{ 'a' * 3 }}{{ [1] * 2 }}]
[{{ 'é' | urlencode }}]
[{{ '<' | e }}]
[{{ strftime_now('%Y') }}]
[{{ 7 // 2 }}{{ 2 ** 3 }}{{ 7 % 3 }}]
[{{ 'A' < 'a' }}{{ 1 < 2 < 3 }}]
[{% set x, y = 1, 2 %}{{ x }}{{ y }}]
[{% set x = 1 if messages else 2 %}{{ x }}]
[{{ messages | length > 1 and messages[0].role == 'user' }}]
[{% if messages is not string and messages is iterable %}y{% endif %}]
[{{ (messages[0].content or '') + 'x' }}]
[{{ true }}{{ True }}{{ none }}{{ 1.0 }}]
[{{ 'x' if nothing else 'y' }}]
[{% raw %}{{ a }}{% endraw %}]
[{{ messages[0]["content"][0] }}{{ messages[0]["content"][-1:] }}]
[{{ 'abc'.startswith(('a', 'b')) }}{{ 'abc'.endswith('c') }}{{ 'abc'.find('c') }}]
[{{ 'a\\nb' }}{{ 'a\tb' }}]
[{%- set x = 1 -%}   {{- x -}}   ]
""".strip("\n").split("\n")

#: White space around tags: a text of several lines each.
FORMS += [
    "a\n  {% if true %}\n  b\n  {% endif %}\n  c\n",
    "a\n  {%- if true %}\n  b\n  {%- endif %}\n  c",
    "a\n  {%+ if true %}\n  b\n  {%+ endif %}\n  c",
    "a\n  {% if true +%}\n  b\n  {% endif +%}\n  c",
    "a\n  {% if true -%}\n  b\n  {% endif -%}\n  c",
    "a {% if true %} b {% endif %} c\n",
    "{% if true %}\n\n\nb{% endif %}\n\n",
    "  {{ 'x' }}  \n  {{ 'y' }}\n",
    "  {{- 'x' -}}  \n  {{ 'y' }}\n\n",
    "a\n   {# note #}\nb",
    "a {# note #} b\n{# note #}\n\nc",
    "a\n   {#- note -#}\n  b",
    "a\n   {#+ note +#}\n  b",
    "\t{% set x = 1 %}\t\n{{ x }}",
    " \t{% set x = 1 %}{% set y = 2 %}\n{{ x }}",
    "  {% set x = 1 %}  {% set y = 2 %}\n  {{ x }}",
    "{{ 'a' }}  {% set x = 1 %}\nb",
    "{{ 'a' }}\n  {% set x = 1 %}\nb",
    "x\u00a0{% set x = 1 %}\nb",
    "\u00a0{% set x = 1 %}\nb",
    "\u3000{% set x = 1 %}\u3000\nb",
    "\x0b{% set x = 1 %}\x0b\nb",
    "a\r\n  {% set x = 1 %}\r\nb\r\n",
    "a\r  {% set x = 1 %}\rb\r",
    "a\n  {% raw %}\n  {{ x }}\n  {% endraw %}\n  b\n",
    "a\n  {%- raw -%}\n  {{ x }}\n  {%- endraw -%}\n  b\n",
    "a\n  {%+ raw %}\n  {{ x }}\n  {%+ endraw +%}\n  b\n",
    "{% for x in [1, 2] %}\n  {{ x }}\n{% endfor %}\n",
    "{% for x in [1, 2] -%}\n  {{ x }}\n{%- endfor %}\n",
    "{% generation %}\n  a\n{% endgeneration %}\n b\n",
    "\n",
    "\n\n",
    "a\n",
    "a\n\n",
    "{{ 'a\n' }}\n",
    "   ",
    "   {% if true %}x{% endif %}",
    "   {{ 1 }}{% if true %}\nx{% endif %}",
    "line\n{#\n many\n#}\nend",
    "{% if true %}{# c #}\nb{% endif %}",
    "a -{% if true -%} b {%- endif %}- c",
]
FORMATS = ["%d %b %Y", "%B %d, %Y", "%Y-%m-%d", "%A %a %H:%M:%S", "%I:%M %p", "%j %U %w %y", "%x %X", "%c", "%%", "%f", "%e", "%-d %-m", "%D %T %F", "%Z|%z", "%G-%V-%u", "plain", "", "%h %n%t%R", "%Q"]

talk = [user("hi"), assistant("ho")]
names = sorted(file.stem for file in (here / "templates").glob("*.jinja"))
templates = {name: (here / "templates" / f"{name}.jinja").read_text(encoding="utf-8") for name in names}
result = {
    "transformers": transformers.__version__,
    "now": NOW.isoformat(),
    "special": SPECIAL,
    "conversations": CONVERSATIONS,
    "options": OPTIONS,
    "renderings": [
        {"template": name, "conversation": key, "options": option, **rendered(templates[name], conversation, OPTIONS[option])}
        for name in names
        for key, conversation in CONVERSATIONS.items()
        for option in [*EVERYWHERE, *SOMEWHERE.get(key, [])]
    ],
    "talk": talk,
    "forms": [[form, rendered(form, talk, {})["rendered"], rendered(form, talk, {}).get("error")] for form in FORMS],
    "formats": [[form, NOW.strftime(form)] for form in FORMATS],
}
(here / "chat.json").write_text(json.dumps(result, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")
counts = [sum(r["rendered"] is not None for r in result["renderings"]), len(result["renderings"])]
print(counts, sum(f[1] is None for f in result["forms"]), len(FORMS))

"""References for test/data: what Jinja2 renders, which rows Hugging Face's slices take, and tiny Parquet files.

    python make.py        (jinja2 3.1.6, datasets 5.2.0, pyarrow 26.0.1)

Writes `templates.json` ([{template, columns, rendered | error}]), `slices.json` ([{spec, rows, start, stop}]), `splits.json`
([{files, splits}]) and `*.parquet`.
"""
import datetime
import json
import re
import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from datasets import ReadInstruction
from datasets.data_files import DataFilesDict, get_data_patterns
from jinja2 import BaseLoader, Environment, StrictUndefined

here = Path(__file__).parent

# --- templates: the environment of lm-evaluation-harness ---
env = Environment(loader=BaseLoader, undefined=StrictUndefined, keep_trailing_newline=True)
env.filters["regex_replace"] = lambda text, pattern, repl, count=0: re.sub(pattern, repl, text, count=count)

arc = {"question": "Which gas do plants take in?", "choices": {"text": ["oxygen", "carbon dioxide", "helium"], "label": ["A", "B", "C"]}, "answerKey": "B"}
obqa = {"question_stem": "The sun is responsible for", "choices": {"text": ["puppies", "plants growing"], "label": ["A", "B"]}, "answerKey": " B"}
boolq = {"passage": "A fact.", "question": "is it so", "label": 1}
wino = {"sentence": "🙂 The cup did not fit because _ was too big. ", "option1": "the cup", "option2": "the bag", "answer": "1"}
hella = {"activity": "Cooking", "ctx_a": "A man stands.", "ctx_b": "he [title] cuts  ONIONS", "endings": ["a", "b"], "label": "1"}
misc = {"n": 7, "f": 2.5, "t": True, "none": "x", "nothing": None, "s": "  mixed CASE text  ", "list": [3, 1, 2], "names": ["b", "a"], "d": {"k": "v"}, "digits": "042",
        "quote": "it's", "range": "a column", "many": "a,b,c"}

cases = [
    ("Question: {{question}}\nAnswer:", arc), ("{{choices.label.index(answerKey)}}", arc), ("{{choices.text}}", arc), ("{{choices['text'][1]}}", arc),
    ("{{question_stem}}", obqa), ("{{choices.label.index(answerKey.lstrip())}}", obqa), ("{{ choices.label.index(answerKey) }}", obqa),
    ("{{passage}}\nQuestion: {{question}}?\nAnswer:", boolq), ("{{['no', 'yes'][label]}}", boolq), ("{{ label }}\n", boolq),
    ("{{ sentence[:sentence.find('_')] + option1 }}", wino), ("{{ sentence[sentence.find('_')+1:].strip() }}", wino), ("{{ answer|int - 1 }}", wino),
    ("{{ [sentence[:sentence.index('_')] + option1, sentence[:sentence.index('_')] + option2] }}", wino), ("{{sentence.split('_')[0]}}", wino),
    ("{% set before = sentence.split('_')[0] %}{{ before }}{{ option2 }}", wino), ("{{ sentence.find('?') }}", wino),
    ("{{ activity }}: {{ ctx_a }} {{ ctx_b.capitalize() }}", hella), ("{{ ctx_b | replace(' [title]', '. ') | replace('  ', ' ') }}", hella),
    ("{{ ctx_b | regex_replace('\\\\[.*?\\\\]', '') }}", hella), ("{{ ctx_b | regex_replace('(\\\\w)(\\\\w+)', '\\\\2\\\\1') }}", hella), ("{{endings[label|int]}}", hella),
    ("{{ ctx_b | regex_replace('[A-Z]', '', 2) }}", hella),
    ("{% for e in endings %}{{ loop.index0 }}. {{ e }}\n{% endfor %}", hella), ("{% for e in endings if e != 'a' %}{{ 'ABC'[loop.index0] }}{% else %}none{% endfor %}", hella),
    ("{{n + 1}} {{n % 4}} {{-n % 4}} {{n // 2}} {{n / 2}} {{f * 2}}", misc), ("{{t}} {{nothing}} {{list}} {{names}} {{d}} {{quote}} {{[quote]}} {{[t, nothing]}}", misc),
    ("{{s.strip()}}|{{s.lstrip()}}|{{s.rstrip()}}|{{s|trim}}|{{s.strip(' t')}}", misc), ("{{s.strip().lower()}} {{s.upper()}} {{s|lower}} {{s.title()}} {{s|title}}", misc),
    ("{{s.strip().capitalize()}} {{s.strip()|capitalize}}", misc), ("{{s.replace('CASE', 'case')}} {{s.count('e')}} {{s.rfind('t')}}", misc),
    ("{{digits|int}} {{digits.isdigit()}} {{'x'|int}} {{'x'|int(5)}} {{f|int}} {{'3.9'|int}}", misc), ("{{names|join(', ')}} {{', '.join(names)}} {{list|sort}} {{list|first}} {{list|last}} {{list|length}} {{list|sum}} {{list|max}}", misc),
    ("{{many.split(',')}} {{many.split(',')[-1]}} {{many[0:3]}} {{many[::-1]}} {{many[-1]}}", misc), ("{{'a' in many}} {{3 in list}} {{'3' in list}} {{n == 7}} {{n == '7'}} {{list == [3, 1, 2]}}", misc),
    ("{{missing is defined}} {{missing|default('?')}} {{missing|d('!')}} {{d.z|default('z')}} {{s is defined}}", misc), ("{{missing}}", misc), ("{{d.z}}", misc), ("{% if missing %}x{% endif %}", misc),
    ("{{n if t else f}} {{'yes' if n > 3 and not (n == 4) else 'no'}}", misc), ("{% if n > 10 %}big{% elif n > 5 %}middle{% else %}small{% endif %}", misc),
    ("{{range}} {{none}}", misc), ("a {%- if t %} b {% endif -%} c", misc), ("{# comment #}x\n", misc), ("line\n{% if t %}\nin\n{% endif %}\nout\n", misc),
    ("{{'%s' ~ n}} {{'a' + 'b'}} {{'ab' * 1 if false else 'c'}}", misc), ("{{ names | map('upper') | list }}", misc), ("{{ 'abc'|list }} {{ 'abc'|first }} {{ names.index('a') }} {{ list.count(3) }}", misc),
    ("{{ s.removeprefix('  ') }} {{ 'a\\nb'.splitlines() }} {{ 'x' is string }} {{ n is number }}", misc), ("{{ '{' }}{{ '}}' }}", misc), ("{{ d['k'] }}{{ d.k }} {{ d.get('q', 'w') }}", misc),
    ("{{ 'ok' if quote == \"it's\" else 'bad' }}", misc), ("{{ (1, 'a') }} {{ {'a': 1}['a'] }}", misc), ("{{ 1.5 }} {{ 0.1 }} {{ 10 / 4 }} {{ 4 / 2 }}", misc),
]
out = []
for template, columns in cases:
    try:
        out.append({"template": template, "columns": columns, "rendered": env.from_string(template).render(**columns)})
    except Exception as error:  # noqa: BLE001
        out.append({"template": template, "columns": columns, "error": type(error).__name__})
(here / "templates.json").write_text(json.dumps(out, ensure_ascii=False, indent=0) + "\n")

# --- slices ---
specs = ["train", "train[:300]", "train[10:20]", "train[-50:]", "train[:-5]", "train[-20:-10]", "train[:10%]", "train[10%:20%]", "train[-10%:]", "train[33%:67%]", "train[:1%]", "train[50%:]", "train[5:5]",
         "train[1_000:]", "train[:]", "train[:50%]", "train[:25%]", "train[:75%]"]
slices = []
for rows in (0, 1, 2, 3, 10, 49, 50, 150, 243, 999, 2400):
    for spec in specs:
        [instruction] = ReadInstruction.from_spec(spec).to_absolute({"train": rows})
        slices.append({"spec": spec, "rows": rows, "start": instruction.from_, "stop": instruction.to})
(here / "slices.json").write_text(json.dumps(slices, indent=0, separators=(",", ":")) + "\n")

# --- which split a file belongs to ---
trees = [
    ["a.csv"], ["train.csv", "test.csv"], ["my_train.csv", "my_dev.csv", "notes.csv"], ["training-1.jsonl", "val.jsonl", "evaluation.jsonl"], ["trainer.csv", "contest.csv"],
    ["train/a.csv", "validation/a.csv", "b.csv"], ["data/train-00000-of-00002.parquet", "data/train-00001-of-00002.parquet", "data/extra-00000-of-00001.parquet"],
    ["x/train.csv", "y/train.csv", "y/test.csv"], ["train1.csv", "train2.csv", "eval.csv"], ["part-0.json", "part-1.json"], ["Train.csv", "Test.csv"], ["en train 1.csv", "en-valid.csv"],
    ["test-set/a.csv", "a.csv"], ["testing.csv", "dev.csv", "train.txt.csv"],
]
splits = []
for tree in trees:
    with tempfile.TemporaryDirectory() as folder:
        for name in tree:
            path = Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("a\n1\n")
        patterns = get_data_patterns(folder)
        found = DataFilesDict.from_patterns(patterns, base_path=folder)
        splits.append({"files": tree, "splits": {str(split): [str(Path(f).relative_to(folder)) for f in files] for split, files in found.items()}})
(here / "splits.json").write_text(json.dumps(splits, indent=0, separators=(",", ":")) + "\n")

# --- Parquet: every codec, several row groups, the types that need care ---
table = pa.table({
    "text": [f"row {i}" for i in range(10)],
    "label": pa.array([i % 3 for i in range(10)], pa.int64()),
    "big": pa.array([2**60 + i for i in range(10)], pa.int64()),
    "small": pa.array([i / 4 for i in range(10)], pa.float32()),
    "flag": pa.array([i % 2 == 0 for i in range(10)]),
    "choices": pa.array([[f"a{i}", f"b{i}"] for i in range(10)]),
    "nested": pa.array([{"label": ["A", "B"], "n": i} for i in range(10)]),
    "gap": pa.array([None if i % 2 else "x" for i in range(10)]),
    "day": pa.array([datetime.date(2024, 1, 1 + i) for i in range(10)]),
    "dictionary": pa.array(["u", "v"] * 5).dictionary_encode(),
})
for codec in ("none", "snappy", "gzip", "brotli", "zstd", "lz4"):
    pq.write_table(table, here / f"{codec}.parquet", compression=codec, row_group_size=4)

"""Every task file of the installed lm_eval, over made-up rows: what lm_eval asks the model, for `check.ts` and `test/harness/`.

    python make.py OUT          all tasks, into the folder OUT (not committed)
    python make.py --small      the ones in SMALL, into tasks.json beside this file

Rows are made from the names that a task's templates read: for each a list, a number, a text or a mapping, whichever of several tries lets
the harness build its requests. OUT gets a folder for each task: `task.yaml` (with its includes merged, functions as `!function NAME`),
`train.jsonl`, `validation.jsonl`, `test.jsonl`, `experiment.layerif.yaml`, and in `requests.json` the contexts and continuations
of lm_eval 0.4.13, few-shot examples included, or the reason why it cannot build them.
"""

import ast
import glob
import json
import logging
import os
import random
import re
import sys
from copy import deepcopy

os.environ["TQDM_DISABLE"] = "1"
import datasets  # noqa: E402
import jinja2  # noqa: E402
import jinja2.meta  # noqa: E402
import lm_eval.api.task as task_module  # noqa: E402
import yaml  # noqa: E402
from lm_eval.tasks._yaml_loader import load_yaml

logging.disable(logging.CRITICAL)
HERE = os.path.dirname(os.path.abspath(__file__))
TASKS = os.path.dirname(os.path.abspath(sys.modules["lm_eval.tasks"].__file__))
ROWS = 9
WORDS = "amber bridge candle drum eagle forest glass harbour island jacket kettle lemon marble needle orchard pepper".split()


class Function(str):
    """A `!function` of a task file."""


yaml.add_representer(Function, lambda dumper, value: dumper.represent_scalar("!function", str(value)), Dumper=yaml.SafeDumper)


def functions(value, base):
    """Names of functions as `Function`, relative again."""
    if isinstance(value, dict):
        return {key: functions(item, base) for key, item in value.items()}
    if isinstance(value, list):
        return [functions(item, base) for item in value]
    if isinstance(value, str) and value.startswith("/") and base.split("/lm_eval/tasks/")[0] in value:
        return Function(os.path.basename(value))
    return value


def has_function(value):
    if isinstance(value, dict):
        return any(map(has_function, value.values()))
    return any(map(has_function, value)) if isinstance(value, list) else isinstance(value, Function)


TEXTS = ("doc_to_text", "doc_to_target", "doc_to_choice", "description", "gen_prefix")


def templates(config):
    few = config.get("fewshot_config") or {}
    for source in [config.get(key) for key in TEXTS] + [few.get(key) for key in TEXTS]:
        if isinstance(source, str) and not isinstance(source, Function) and source:
            yield source


def names_of(config):
    names = {}
    for source in templates(config):
        if re.fullmatch(r"[^\W\d]\w*", source):
            names.setdefault(source, set())
            continue
        try:
            tree = jinja2.Environment().parse(source)
        except jinja2.TemplateSyntaxError:
            continue
        for name in jinja2.meta.find_undeclared_variables(tree):
            names.setdefault(name, set())
        for kind in (jinja2.nodes.Getattr, jinja2.nodes.Getitem):
            for node in tree.find_all(kind):
                key = node.attr if kind is jinja2.nodes.Getattr else getattr(node.arg, "value", None)
                if isinstance(node.node, jinja2.nodes.Name) and isinstance(key, str) and not hasattr("", key):
                    names.setdefault(node.node.name, set()).add(key)
    return names


def sentence(rnd):
    return " ".join(rnd.choice(WORDS) for _ in range(rnd.randint(2, 6)))


def value_of(name, inner, kind, rnd):
    """A value that a column of this name may have."""
    if inner - {"items", "keys", "values", "index"}:
        if kind["mapping"] == "list":
            return [{key: value_of(key, set(), kind, rnd) for key in sorted(inner)} for _ in range(3)]
        return {key: value_of(key, set(), {**kind, "text": "list" if key in ("text", "label", "labels", "choices") else kind["text"]}, rnd) if key not in ("label", "labels") else ["A", "B", "C", "D"] for key in sorted(inner)}
    lowered = name.lower()
    if name in kind.get("targets", {}):
        return rnd.choice(kind["targets"][name])
    if re.search(r"choices|options|endings|candidates|mc\d|answers|aliases|references|distractors", lowered):
        return [sentence(rnd) for _ in range(4)] if kind["lists"] else sentence(rnd)
    if re.search(r"answerkey|answer_key|letter", lowered):
        return rnd.choice("ABCD")
    if re.search(r"label|gold|answer|target|idx|index|correct|^y$", lowered):
        return {"int": rnd.randint(0, 1), "digit": str(rnd.randint(1, 2)), "letter": rnd.choice("ABCD"), "bool": rnd.random() < 0.5, "text": sentence(rnd)}[kind["label"]]
    if re.search(r"score|number|num|year|float|rating", lowered):
        return rnd.choice([1.0, 0.5, 3.25])
    if kind["text"] == "list":
        return [sentence(rnd) for _ in range(4)]
    return sentence(rnd) + (f" {kind['mark']} " + sentence(rnd) if kind["mark"] else "")


KINDS = [
    {"label": label, "lists": lists, "text": text, "mapping": mapping, "mark": mark}
    for text in ("text", "list")
    for mapping in ("mapping", "list")
    for lists in (True, False)
    for mark in ("", "_")
    for label in ("int", "letter", "digit", "text", "bool")
]


def test_of(config):
    return config.get("test_split") or config.get("validation_split") or "train"


def requests_of(config, kind):
    """Rows by split and what the harness makes of them. Raises what the harness raises."""
    names = names_of(config)
    rows, count = {}, 0
    for split in ("train", "validation", "test"):
        rnd = random.Random(f"{split}")
        rows[split] = [{"row_id": f"{split} {i}", **{name: value_of(name, inner, kind, rnd) for name, inner in sorted(names.items())}} for i in range(ROWS)]
    config = deepcopy(config)
    splits = {}
    for key, split in (("training_split", "train"), ("validation_split", "validation"), ("test_split", "test")):
        if config.get(key):
            splits[config[key]] = split
            config[key] = split
    few = config.get("fewshot_config") or {}
    for place, key in ((config, "fewshot_split"), (few, "split")):
        if place.get(key):
            place[key] = splits.get(place[key], "train")
    config.pop("dataset_kwargs", None)
    config.pop("dataset_name", None)
    config.update(dataset_path="local", metric_list=None, filter_list=None, process_results=None, should_decontaminate=False)
    for key in ("tag", "group", "task_list", "include", "class"):
        config.pop(key, None)
    found = {split: datasets.Dataset.from_list(rows[split]) for split in rows}
    task_module.datasets.load_dataset = lambda **_: found
    task = task_module.ConfigurableTask(config=deepcopy(config))
    if task.config.num_fewshot is None:
        task.set_config(key="num_fewshot", value=0)
    task.set_fewshot_seed(1234)
    task.build_all_requests()
    golds = [task.doc_to_target(doc) for doc in found[test_of(config)]]
    if config.get("doc_to_choice") and any(isinstance(gold, int) and gold < 0 or gold == "-1" for gold in golds):
        raise ValueError("a label below 0")
    out = [[], []]
    for instance in task.instances:
        if instance.request_type == "generate_until":
            out[0].append([instance.args[0], None])
        else:
            out[0].append(list(instance.args) if len(instance.args) == 2 else ["", instance.args[0]])
        out[1].append(instance.metadata[1])
    return rows, config, [{"doc": doc, "pair": pair} for doc, pair in zip(out[1], out[0])]


def experiment(config, name):
    own = {key: value for key, value in config.items() if key not in ("dataset_path",) and value is not None}
    task = {"include": "task.yaml", "dataset": "d"}
    return own, {"version": 1, "model": {"path": "../model"}, "datasets": {"d": {"data_files": {s: f"{s}.jsonl" for s in ("train", "validation", "test")}}}, "tasks": [task]}


def reason_of(config):
    for key in ("process_docs", "custom_dataset", "class", "use_prompt", "doc_to_image", "doc_to_audio"):
        if config.get(key):
            return key
    for key in TEXTS:
        if has_function(config.get(key)):
            return f"!function in {key}"
    if (config.get("num_fewshot") or 0) > 0 and has_function(config.get("fewshot_config")):
        return "!function in fewshot_config"
    return None


def every_file():
    for path in sorted(glob.glob(f"{TASKS}/**/*.yaml", recursive=True)):
        try:
            config = functions(load_yaml(path, resolve_func=False), path)
        except Exception as error:
            yield path, None, f"unreadable: {type(error).__name__}"
            continue
        if not isinstance(config.get("task"), str):
            yield path, config, "group" if "group" in config or isinstance(config.get("task"), list) else "no task"
            continue
        yield path, config, reason_of(config)


def templates_of(config):
    """Equal for tasks whose texts are made in the same way."""
    kept = [config.get(k) for k in (*TEXTS, "output_type", "fewshot_config", "num_fewshot", "target_delimiter", "fewshot_delimiter")]
    splits = [bool(config.get(k)) for k in ("training_split", "validation_split", "test_split", "fewshot_split")]
    return json.dumps(kept + splits, default=str, sort_keys=True)


def targets_of(config):
    """Column of the answer -> the choices, where both stand in the file as they are."""
    choices, target = config.get("doc_to_choice"), config.get("doc_to_target")
    if isinstance(choices, str) and not isinstance(choices, Function) and choices.startswith("["):
        try:
            choices = ast.literal_eval(choices)
        except (SyntaxError, ValueError):
            return {}
    choices = list(choices.values()) if isinstance(choices, dict) else choices
    name = re.fullmatch(r"(?:{{\s*)?([^\W\d]\w*)(?:\s*}})?", target) if isinstance(target, str) and not isinstance(target, Function) else None
    return {name[1]: choices} if name and isinstance(choices, list) and all(isinstance(c, str) and "{" not in c for c in choices) else {}


def attempt(config):
    error = None
    targets = targets_of(config)
    if has_function(config.get("fewshot_config")):
        config = {key: value for key, value in config.items() if key != "fewshot_config"}
    for kind in [{**KINDS[0], "targets": targets}] * bool(targets) + KINDS:
        try:
            return (*requests_of(config, kind), None)
        except Exception as caught:  # noqa: BLE001
            error = f"{type(caught).__name__}: {caught}"[:200]
    return None, None, None, error


SMALL = """arc_easy boolq hellaswag openbookqa piqa winogrande sciq copa wic rte sst2 mrpc cola lambada_openai lambada_standard wikitext gsm8k_cot
mmlu_abstract_algebra race swag commonsense_qa logiqa2 mathqa asdiv anli_r1 cb multirc record triviaqa nq_open webqs prost toxigen
xcopa_et xstorycloze_en paws_en bbh_cot_fewshot_boolean_expressions bbh_zeroshot_boolean_expressions mmlu_pro_biology cmmlu_anatomy
blimp_adjunct_island crows_pairs_english ethics_cm arithmetic_1dc belebele_eng_Latn kobest_boolq parafrases_gl agieval_sat_math
mmlu_flan_cot_fewshot_anatomy social_iqa tinyArc fld_default pile_arxiv french_bench_opus_perplexity gsm8k minerva_math_algebra drop squadv2 truthfulqa_mc1 ceval-valid_law agieval_lsat_ar ifeval coqa leaderboard_bbh_boolean_expressions leaderboard_mmlu_pro hendrycks_ethics medqa_4options pubmedqa bigbench_causal_judgement_multiple_choice wmdp_bio qa4mre_2011 eus_exams_es_opeosakiadmineu mgsm_direct_en
aclue_ancient_chinese_culture arc_challenge_chat acp_areach_bool phrases_ca-va med_concepts_qa_atc_easy legalbench_abercrombie logieval
ja_leaderboard_jnli ja_leaderboard_jaqket_v2 tinyMMLU leaderboard_bbh_causal_judgement turkishmmlu_biology truthfulqa-multi_mc1_ca mela_ar
paws_ja copa_ar babi mc_taco anagrams1 xnli_eu winogender_all iwslt2017-ar-en discrim_eval_explicit wmt-ro-en-t5-prompt
simple_cooccurrence_bias bear pile_10k haerae_general_knowledge""".split()


def main():
    small = sys.argv[1] == "--small"
    out = None if small else sys.argv[1]
    counts, kept, seen = {}, [], set()
    for path, config, reason in every_file():
        name = config.get("task") if config else None
        if small and (name not in SMALL or reason):
            continue
        if reason is None and isinstance(name, str):
            key = templates_of(config)
            if key in seen:
                reason = "same templates as another"
            seen.add(key)
        rows = requests = None
        if reason is None:
            rows, used, requests, error = attempt(config)
            reason = error and f"lm_eval: {error}"
        kind = re.sub(r"'.*?'|\d+", "_", (reason or "passes").split("\n")[0])[:60]
        counts[kind] = counts.get(kind, 0) + 1
        if requests is None:
            if not small and config and reason and isinstance(config.get("task"), str) and reason != "same templates as another":
                kept.append({"file": os.path.relpath(path, TASKS), "reason": reason})
            continue
        own, file = experiment(used, name)
        if small:
            kept.append({"task": {k: v for k, v in own.items() if k not in ("metadata", "metric_list")}, "rows": {s: rows[s] for s in rows if s in json.dumps(own)}, "requests": requests})
            continue
        folder = os.path.join(out, re.sub(r"\W+", "_", name) + f"_{len(seen)}")
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, "task.yaml"), "w") as stream:
            yaml.dump(own, stream, Dumper=yaml.SafeDumper, allow_unicode=True, sort_keys=False)
        with open(os.path.join(folder, "e.layerif.yaml"), "w") as stream:
            yaml.dump(file, stream, Dumper=yaml.SafeDumper, sort_keys=False)
        for split, items in rows.items():
            with open(os.path.join(folder, f"{split}.jsonl"), "w") as stream:
                stream.writelines(json.dumps(item) + "\n" for item in items)
        with open(os.path.join(folder, "requests.json"), "w") as stream:
            json.dump({"file": os.path.relpath(path, TASKS), "requests": requests}, stream)
    for kind, count in sorted(counts.items(), key=lambda item: -item[1])[:60]:
        print(count, kind)
    if small:
        with open(os.path.join(HERE, "tasks.json"), "w") as stream:
            json.dump(kept, stream, ensure_ascii=True, indent=0, default=str)
            stream.write("\n")
        print(len(kept), "tasks kept")
    else:
        with open(os.path.join(out, "refused.json"), "w") as stream:
            json.dump(kept, stream, indent=0)


if __name__ == "__main__":
    main()

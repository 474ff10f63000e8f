"""The filters multi_choice_regex, regex_pos and format_span of lm-evaluation-harness on answers as models write them.

    python filters.py        (lm_eval; writes filters.json beside itself)
"""
import json
from pathlib import Path

import lm_eval
from lm_eval.filters.extraction import MultiChoiceRegexFilter, POSFilter
from lm_eval.filters.transformation import SPANFilter

CHOICES = ["Guilty", "Guilty of Romance", " not. guilty! ", "a (b) c", "Guilty", "x+y $5"]
ANSWERS = [
    "The answer is (B).", "Guilty of Romance, I think", "guilty", "NOT GUILTY", "Answer: C", "so:  E or F", "none at all", "",
    "#### 12,5 then #### 7", "x+y $5", "(a (b) c)", "it is a b c", "Guilty; Guilty of Romance", "I say: the Not. Guilty!", "é: B", ":Z",
]
MULTI = [
    {},
    {"regex_pattern": r"(\([A-Z]\))"},
    {"regex_pattern": r"(\([A-Z]\))|answer is ([A-Z])", "group_select": -1, "fallback": "?"},
    {"ignore_case": True, "ignore_punctuation": True},
    {"ignore_case": True, "regexes_to_ignore": [r"[ ,.]", "of"], "group_select": 0},
]
POS = [
    "[('the', 'DET'), ('cat', 'NOUN')]", "('a', 'X')", "no tags", "", "[('don''t', 'VERB')]", "('x','NOUN') ('y', 'ADV')", "[('', '')]",
]
SPAN = [
    "PER: Ann, Bob $$ LOC: Kenya, none", "Person: Ann\nLocation : Paris, Rome\n", "organization:ACME$$$date: 5 May $$", "none", "",
    "time: 10:30 $$ country: Chad", "the people: Kim $ places: none, Oslo", "timeperiod: x", "per: a:b, loc: c", "$$PER: x$$", "PERSON:Élan, ",
]


def run(kind, options, answers, doc):
    return list(list(kind(**options).apply([answers], [doc]))[0])


out = {
    "lm_eval": lm_eval.__version__,
    "cases": [
        *[
            {"function": "multi_choice_regex", "options": o, "choices": CHOICES, "answers": ANSWERS, "filtered": run(MultiChoiceRegexFilter, o, ANSWERS, {"choices": CHOICES})}
            for o in MULTI
        ],
        *[{"function": "regex_pos", "options": o, "answers": POS, "filtered": run(POSFilter, o, POS, {})} for o in [{}, {"fallback": ["none"]}]],
        {"function": "format_span", "options": {}, "answers": SPAN, "filtered": run(SPANFilter, {}, SPAN, {})},
    ],
}
(Path(__file__).parent / "filters.json").write_text(json.dumps(out, ensure_ascii=False) + "\n")

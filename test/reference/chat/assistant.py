"""Which tokens of whole conversations are the assistant's, by transformers' return_assistant_tokens_mask -> assistant.json.

Templates mark the answers by {% generation %}: smollm3.jinja of templates/, and ChatML marked as TRL marks it (the answer with
its end). `plain` is the same template without marks. Run: /path/to/python assistant.py (transformers, jinja2)
"""
import json
from datetime import datetime
from pathlib import Path

from transformers import PreTrainedTokenizerFast
from transformers.utils import chat_template_utils

here = Path(__file__).parent.resolve()


class Clock(datetime):
    @classmethod
    def now(cls, tz=None):
        return datetime(2026, 3, 7, 9, 5, 3, 42000)


chat_template_utils.datetime = Clock
tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(here / "../evaluation/model/tokenizer.json"), bos_token="<bos>", eos_token="<bos>")

BODY = "{{ '<|im_start|>' + message['role'] + '\\n' }}%s{{ message['content'] + '<|im_end|>' }}%s{{ '\\n' }}"
TURN = "{% for message in messages %}{% if message['role'] == 'assistant' %}" + BODY % ("{% generation %}", "{% endgeneration %}") + "{% else %}" + BODY % ("", "") + "{% endif %}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
TEMPLATES = {
    "chatml": {"marked": TURN, "plain": TURN.replace("{% generation %}", "").replace("{% endgeneration %}", "")},
    "smollm3": {"marked": (here / "templates/smollm3.jinja").read_text(), "plain": None},
    # No space around: the header's end and the answer's first letter may share a token.
    "tight": {"marked": "{% for m in messages %}{% if m['role'] == 'assistant' %}A:{% generation %}{{ m['content'] }}{% endgeneration %};{% else %}U:{{ m['content'] }};{% endif %}{% endfor %}", "plain": None},
}
user = lambda content: {"role": "user", "content": content}
assistant = lambda content: {"role": "assistant", "content": content}
CONVERSATIONS = [
    [user("Hello"), assistant("Hi there."), user("And now?"), assistant("Now the other one.\n\nThe end.")],
    [{"role": "system", "content": "Be brief. /no_think"}, user("a film"), assistant("the good one"), user("b"), assistant("the bad one "), user("c")],
    [user("Größe 東京"), assistant("é – 東京 is a place")],
    [assistant("I begin."), user("so"), assistant("")],
]
cases = []
for name, templates in TEMPLATES.items():
    for messages in CONVERSATIONS:
        found = tokenizer.apply_chat_template(messages, chat_template=templates["marked"], return_dict=True, return_assistant_tokens_mask=True)
        text = tokenizer.apply_chat_template(messages, chat_template=templates["marked"], tokenize=False)
        cases.append({"template": name, "messages": messages, "text": text, "tokens": found["input_ids"], "mask": found["assistant_masks"]})
(here / "assistant.json").write_text(json.dumps({"templates": TEMPLATES, "cases": cases}, ensure_ascii=False, indent=None) + "\n")
print(len(cases), [sum(c["mask"]) for c in cases])

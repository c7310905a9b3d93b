"""Chat templates of the kinds that public models have, in SmolLM2's special tokens, and what is right for each."""

from __future__ import annotations

from dataclasses import dataclass

BOS = "<|endoftext|>"
ASK = "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
TURN = "<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n"
EACH = "{% for m in messages %}"
CHATML = EACH + TURN + "{% endfor %}" + ASK
IN_PARTS = (
    EACH + "<|im_start|>{{ m['role'] }}\n{% for c in m['content'] | selectattr('type', 'equalto', 'text') %}"
    "{{ c['text'] }}{% endfor %}<|im_end|>\n{% endfor %}" + ASK
)
EITHER = (
    EACH + "<|im_start|>{{ m['role'] }}\n{% if m['content'] is string %}{{ m['content'] | trim }}{% else %}"
    "{% for c in m['content'] %}{{ c['text'] | trim }}{% endfor %}{% endif %}<|im_end|>\n{% endfor %}" + ASK
)
ALTERNATING = (
    "{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}" + CHATML
)


@dataclass(frozen=True)
class Kind:
    """template: as a tokenizer has it. user, system: the prompt to `Q`, and to `Q` after the system turn `S`.

    None where the template leaves words out or refuses, so that the model cannot be asked. begins: whether the
    tokenizer puts BOS before each text. added: whether BOS has to be added to what the template writes. dated: whether
    it writes the date. warns: of thoughts that are left open.
    """

    template: object
    user: str | None
    system: str | None
    begins: bool = False
    added: bool = False
    dated: bool = False
    warns: bool = False


def chatml(*turns: tuple[str, str], begin: str = "", end: str = "<|im_start|>assistant\n") -> str:
    return begin + "".join(f"<|im_start|>{role}\n{words}<|im_end|>\n" for role, words in turns) + end


USER, SYSTEM = ("user", "Q"), ("system", "S")
PLAIN = {"user": chatml(USER), "system": chatml(SYSTEM, USER)}
KINDS = {
    "plain turns": Kind(CHATML, **PLAIN),
    "a system turn of its own": Kind(
        "{% if messages[0]['role'] != 'system' %}<|im_start|>system\nBe kind<|im_end|>\n{% endif %}" + CHATML,
        chatml(("system", "Be kind"), USER), chatml(SYSTEM, USER),
    ),
    "BOS, and trimmed turns": Kind(
        "{{ bos_token }}" + CHATML.replace("['content'] }}", "['content'] | trim }}"),
        chatml(USER, begin=BOS), chatml(SYSTEM, USER, begin=BOS), begins=True,
    ),
    "BOS by name": Kind(BOS + CHATML, chatml(USER, begin=BOS), chatml(SYSTEM, USER, begin=BOS), begins=True),
    "BOS before each question": Kind(
        EACH + "{% if m['role'] == 'user' %}{{ bos_token }}{% endif %}" + TURN + "{% endfor %}" + ASK,
        chatml(USER, begin=BOS), chatml(SYSTEM) [:-len("<|im_start|>assistant\n")] + chatml(USER, begin=BOS),
    ),
    "BOS twice": Kind(
        "{{ bos_token }}" * 2 + CHATML, chatml(USER, begin=BOS), chatml(SYSTEM, USER, begin=BOS), begins=True
    ),
    "no BOS, and a tokenizer that adds one": Kind(CHATML, **PLAIN, begins=True, added=True),
    "no BOS, and none added": Kind(CHATML, **PLAIN),
    "today's date": Kind(
        "<|im_start|>system\nToday: {{ strftime_now('%d %b %Y %H:%M:%S') }}<|im_end|>\n" + CHATML,
        chatml(("system", "Today: 26 Jul 2024 00:00:00"), USER),
        chatml(("system", "Today: 26 Jul 2024 00:00:00"), SYSTEM, USER), dated=True,
    ),
    "a date where the model was told none": Kind(
        "{% if date_string is not defined %}{% set date_string = strftime_now('%Y-%m-%d') %}{% endif %}"
        "{% if messages[0]['role'] == 'system' %}{{ date_string }}\n{% endif %}" + CHATML,
        chatml(USER), chatml(SYSTEM, USER, begin="2024-07-26\n"), dated=True,
    ),
    "content in parts only": Kind(IN_PARTS, **PLAIN),
    "the first part of the content": Kind(
        CHATML.replace("m['content']", "m['content'][0]['text']"), **PLAIN
    ),
    "texts or parts": Kind(EITHER, **PLAIN),
    "no system turn, without a word": Kind(
        EACH + "{% if m['role'] != 'system' %}" + TURN + "{% endif %}{% endfor %}" + ASK, chatml(USER), None
    ),
    "no system turn, and it says so": Kind(ALTERNATING, chatml(USER), None),
    "the system turn inside the user's": Kind(
        "{% set s = messages[0]['content'] ~ '\n\n' if messages[0]['role'] == 'system' else '' %}"
        "<|im_start|>user\n{{ s }}{{ messages[-1]['content'] }}<|im_end|>\n" + ASK,
        chatml(USER), chatml(("user", "S\n\nQ")),
    ),
    "the last turn only": Kind(
        "{% set m = messages[-1] %}" + TURN + ASK, chatml(USER), None
    ),
    "thoughts that are closed": Kind(
        CHATML.replace("assistant\n", "assistant\n{% if enable_thinking is false %}<think>\n\n</think>\n\n{% endif %}"),
        chatml(USER, end="<|im_start|>assistant\n<think>\n\n</think>\n\n"),
        chatml(SYSTEM, USER, end="<|im_start|>assistant\n<think>\n\n</think>\n\n"),
    ),
    "thoughts that are left open": Kind(
        CHATML.replace("assistant\n", "assistant\n<think>\n"),
        chatml(USER, end="<|im_start|>assistant\n<think>\n"),
        chatml(SYSTEM, USER, end="<|im_start|>assistant\n<think>\n"), warns=True,
    ),
    "tools": Kind(
        "{% if tools %}<|im_start|>system\n{{ tools | tojson }}<|im_end|>\n{% endif %}" + CHATML, **PLAIN
    ),
    "several by name": Kind({"default": CHATML, "tool_use": "{{ messages[0]['content'] }}"}, **PLAIN),
    "several by name, none the default": Kind({"rag": CHATML, "tool_use": CHATML}, None, None),
    "none": Kind(None, "Q", "S\n\nQ"),
    "none, and a tokenizer that adds BOS": Kind(None, "Q", "S\n\nQ", begins=True, added=True),
    "words as JSON": Kind(CHATML.replace("{{ m['content'] }}", "{{ m['content'] | tojson }}"),
        chatml(("user", '"Q"')), chatml(("system", '"S"'), ("user", '"Q"')),
    ),
    "nothing of what is asked": Kind("<|im_start|>user\nWhat now?<|im_end|>\n" + ASK, None, None),
}  # fmt: skip

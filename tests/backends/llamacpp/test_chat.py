"""The GGUF's chat against transformers' own rendering and tokenising of the same file."""

import pytest

from judgeharness.backends.letters import letter_tokens
from judgeharness.backends.llamacpp.chat import GgufChat
from judgeharness.backends.llamacpp.library import LlamaModel
from judgeharness.domain.errors import HarnessError
from judgeharness.domain.nouns import Message
from tests.backends.hf.test_chat import TEMPLATES

CONVERSATIONS = (
    [Message("user", "Is it?")],
    [Message("user", "  Ünïcödé 日本語 🙂\tand <|im_end|> in between\n\n\nA: 1 2 3 ")],
    [Message("user", "Premise: {{ raise }} <b>&amp;</b>"), Message("assistant", "A"), Message("user", "Sure?")],
)
MORE_TEMPLATES = {
    "loop controls, tojson, generation": (
        "{{ bos_token }}{% for m in messages %}{% if loop.index > 3 %}{% break %}{% endif %}"
        "{{ m | tojson }}{% generation %}{{ m.content }}{{ eos_token }}{% endgeneration %}\n{% endfor %}"
        "{%- if add_generation_prompt %}\nAnswer:{% endif %}"
    ),
    "white space": (
        "{% for m in messages %}\n    {% if m.role == 'user' %}\n        U: {{ m.content }}\n    {% else %}\n"
        "        A: {{ m.content }}\n    {% endif %}\n{% endfor %}\n{% if tools is none %}none{% endif %}"
    ),
    "namespace": (
        "{% set ns = namespace(n=0) %}{% for m in messages %}{% set ns.n = ns.n + 1 %}{{ ns.n }}{{ m.content }}"
        "{% endfor %}{{ strftime_now('%Y') | length }}"
    ),
}
ALL_TEMPLATES = {**{name: template for name, (template, _) in TEMPLATES.items()}, **MORE_TEMPLATES}


@pytest.fixture
def chat_of(tiny):
    opened = []

    def make(template):
        opened.append(LlamaModel(tiny("llama", template), vocabulary_only=True))
        return GgufChat(opened[-1])

    yield make
    for model in opened:
        model.close()


@pytest.mark.parametrize("name", [None, *ALL_TEMPLATES])
def test_text_and_tokens_are_those_of_transformers(chat_of, tokenizer, name):
    before = tokenizer.chat_template
    chat = chat_of(ALL_TEMPLATES.get(name))
    try:
        tokenizer.chat_template = chat.template
        for conversation in CONVERSATIONS:
            if name == "no assistant turns" and len(conversation) > 1:
                continue
            turns = [{"role": message.role, "content": message.content} for message in conversation]
            settings = {"add_generation_prompt": True, "enable_thinking": False}
            text = tokenizer.apply_chat_template(turns, tokenize=False, **settings)
            assert chat.render(conversation) == text
            assert chat.encode([text]) == [tokenizer(text, add_special_tokens=False)["input_ids"]]
    finally:
        tokenizer.chat_template = before


def test_letters_are_those_of_transformers(chat_of):
    assert [letter_tokens(chat_of(None))[letter] for letter in "ABC"] == [49, 50, 51]
    spaced = letter_tokens(chat_of(TEMPLATES["mistral, with a space"][0]))
    assert chat_of(None).decode([spaced["A"]]) == " A"


def test_a_model_without_a_template_reads_the_bare_text(chat_of):
    chat = chat_of("")
    assert chat.template is None
    assert chat.render([Message("user", "Is it?")]) == "Is it?"
    assert chat.decode([letter_tokens(chat)["B"]]) == " B"


def test_tokens_and_text_come_back(chat_of):
    chat = chat_of(None)
    text = "<|im_start|>user\nÄ 🙂 " + "word " * 50
    (tokens,) = chat.encode([text])
    assert chat.decode(tokens) == text
    assert chat.encode([""]) == [[]]


def test_templates_that_refuse_or_cannot_be_read_are_errors_in_words(chat_of):
    with pytest.raises(HarnessError, match="refuses the conversation: only poems"):
        chat_of("{{ raise_exception('only poems') }}").render([Message("user", "?")])
    with pytest.raises(HarnessError, match="is not valid, line 1"):
        chat_of("{% for %}")
    # The sandbox: neither Python's objects nor the list of turns can be reached.
    for attack in ("{{ messages.__class__.__mro__ }}", "{{ messages.append(1) }}"):
        with pytest.raises(HarnessError, match="refuses the conversation"):
            chat_of(attack).render([Message("user", "?")])


def test_the_real_tokenizer_of_the_real_file(llama_smollm2, smollm2, folders, registry):
    from judgeharness.evaluation.components import component
    from tests.helpers import bundled

    task = bundled("chaosnli", folders).limited(3)
    for name in registry.strategies.names():
        for item in task.items:
            group = component(registry.strategies, name, {}).part.group(item, task)
            assert llama_smollm2.render(group) == smollm2.render(group)
            assert llama_smollm2.encode(group) == smollm2.encode(group)

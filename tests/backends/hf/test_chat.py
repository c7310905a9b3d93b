import pytest

from judgeharness.backends.hf.chat import TransformersChat
from judgeharness.backends.letters import letter_tokens, require_letters
from judgeharness.domain.errors import HarnessError
from judgeharness.domain.nouns import Message

USER = [Message("user", "Is it?")]
TEMPLATES = {
    # The shapes of real templates: who puts what between the prompt and the answer.
    "llama-3": (
        "{% for m in messages %}<|im_start|>{{ m.role }}\n\n{{ m.content | trim }}<|im_end|>{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant\n\n{% endif %}",
        "A",
    ),
    "mistral, with a space": (
        "{% for m in messages %}{% if m.role == 'user' %}[INST] {{ m.content }} [/INST]"
        "{% else %} {{ m.content }}<|im_end|>{% endif %}{% endfor %}",
        " A",
    ),
    "thinking, closed in the generation prompt": (
        "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant\n"
        "{% if enable_thinking is false %}<think>\n\n</think>\n\n{% endif %}{% endif %}",
        "A",
    ),
    "no assistant turns": (
        "{% if messages | length > 1 %}{{ raise_exception('user turns only') }}{% endif %}"
        "<|im_start|>{{ messages[0].content }}<|im_end|>\n",
        "A",
    ),
}


@pytest.fixture
def with_template(tokenizer):
    before = tokenizer.chat_template

    def make(template):
        tokenizer.chat_template = template
        return TransformersChat(tokenizer)

    yield make
    tokenizer.chat_template = before


@pytest.mark.parametrize("name", TEMPLATES)
def test_letters_follow_the_template(with_template, tokenizer, name):
    template, written = TEMPLATES[name]
    letters = letter_tokens(with_template(template))
    assert len(letters) == 26
    (expected,) = tokenizer(written, add_special_tokens=False)["input_ids"]
    assert letters["A"] == expected


def test_thinking_is_switched_off(with_template):
    text = with_template(TEMPLATES["thinking, closed in the generation prompt"][0]).render(USER)
    assert text.endswith("<think>\n\n</think>\n\n")


def test_without_a_template_the_letter_follows_a_space(with_template, tokenizer):
    chat = with_template(None)
    assert chat.render(USER) == "Is it?"
    assert tokenizer.decode([letter_tokens(chat)["B"]]) == " B"


def test_the_answer_prefix_can_be_set(with_template, tokenizer):
    letters = letter_tokens(with_template(TEMPLATES["llama-3"][0]), answer_prefix=" ")
    assert tokenizer.decode([letters["C"]]) == " C"


def test_smollm2_has_the_known_tokens(with_template, tokenizer):
    chat = TransformersChat(tokenizer)
    assert [letter_tokens(chat)[letter] for letter in "ABC"] == [49, 50, 51]
    assert chat.render(USER) == (
        "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n"
        "<|im_start|>user\nIs it?<|im_end|>\n<|im_start|>assistant\n"
    )
    assert chat.encode([chat.render(USER)]) == [tokenizer.apply_chat_template(
        [{"role": "user", "content": "Is it?"}], add_generation_prompt=True, return_dict=False
    )]  # fmt: skip


def test_letters_without_a_token_of_their_own_are_an_error():
    with pytest.raises(HarnessError, match="no token of its own for the answer B, D"):
        require_letters({"A": 1, "C": 2}, 4)
    assert require_letters({"A": 1, "B": 4, "C": 2}, 2) == [1, 4]


def test_a_template_that_refuses_is_an_error_in_words(with_template):
    chat = with_template("{{ raise_exception('only poems') }}")
    with pytest.raises(HarnessError, match="refuses the conversation: only poems"):
        chat.render(USER)

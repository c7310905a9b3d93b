"""A server that answers every scoring request at once with the same log-probabilities, to measure a client alone.

python benchmarks/instant_server.py PORT
"""

from __future__ import annotations

import asyncio
import json
import sys

TOKENS = [*"ABCDEFGH", *(f" {letter}" for letter in "ABCDEFGH"), "Yes", "No", "The", "I"]
ENTRIES = [
    {"token": token, "logprob": -0.5 - index, "bytes": list(token.encode())} for index, token in enumerate(TOKENS)
]
ANSWER = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "model": "m",
    "choices": [
        {
            "index": 0,
            "finish_reason": "length",
            "message": {"role": "assistant", "content": "A"},
            "logprobs": {"content": [{**ENTRIES[0], "top_logprobs": ENTRIES}]},
        }
    ],
    "usage": {"prompt_tokens": 200, "completion_tokens": 1, "total_tokens": 201},
}
MODELS = {"object": "list", "data": [{"id": "m", "object": "model", "owned_by": "somebody"}]}


def response(status: str, document: object) -> bytes:
    """A whole HTTP response."""
    content = json.dumps(document).encode()
    head = f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {len(content)}\r\n\r\n"
    return head.encode() + content


class Instant(asyncio.Protocol):
    """Reads requests by their content-length, and answers each in one write."""

    answer = response("200 OK", ANSWER)
    models = response("200 OK", MODELS)
    missing = response("404 Not Found", {"error": {"message": "not found"}})
    refused = response("400 Bad Request", {"error": {"message": "top_logprobs: at most 20"}})

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the connection."""
        self._transport = transport
        self._data = b""

    def data_received(self, data: bytes) -> None:
        """Answer every whole request."""
        self._data += data
        while b"\r\n\r\n" in self._data:
            head, _, rest = self._data.partition(b"\r\n\r\n")
            length = next(
                (int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0
            )
            if len(rest) < length:
                return
            self._data = rest[length:]
            self._transport.write(self._reply(head, rest[:length]))

    def _reply(self, head: bytes, body: bytes) -> bytes:
        if head.startswith(b"GET /v1/models"):
            return self.models
        if not head.startswith(b"POST /v1/chat/completions"):
            return self.missing
        return self.refused if json.loads(body)["top_logprobs"] > len(ENTRIES) else self.answer


async def main(port: int) -> None:
    """Serve until stopped."""
    server = await asyncio.get_running_loop().create_server(Instant, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))

"""Finds out what a server is: its kind, its version and its models."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from typing import Any

from judgeharness.backends.openai.address import Address
from judgeharness.backends.openai.client import Client
from judgeharness.backends.openai.faults import FaultError, RefusedError, mapping
from judgeharness.backends.openai.origin import listed_instead
from judgeharness.backends.openai.server_kinds import FIELDS_THERE, TOLD_BY, UNKNOWN, identity, own_entry, owner_kind


@dataclass(frozen=True, slots=True)
class Identity:
    """What a server is.

    Attributes:
        server: The kind of server.
        said: What it says about the model.
        version: Its version, if it reports one.
        unlisted: The models that it lists, in words, if the requested one is not among them.
    """

    server: str
    said: dict[str, Any]
    version: str | None
    unlisted: str | None


async def find_identity(client: Client, address: Address) -> Identity:
    """Find out what a server is. Raises FaultError if it cannot be reached."""
    listing = await _quiet(client.get("/models"))
    unlisted = listed_instead(listing, address.model)
    if address.is_openai:
        return Identity("OpenAI", {"id": address.model}, None, unlisted)
    entry = own_entry(listing, address.model)
    kind = owner_kind(entry)
    version = None
    for path, name in TOLD_BY.items():
        if kind not in {None, name}:
            continue
        found = mapping(await _quiet(client.get(path)))
        if not found.keys().isdisjoint(FIELDS_THERE):
            kind, version = name, _version(found)
            break
    if kind == "Ollama":
        entry = {**entry, **await _ollama_digest(client, address.model)}
    return Identity(kind or UNKNOWN, identity(entry), version, unlisted)


async def _quiet(asking: Awaitable[Any]) -> Any:
    """Return a reply, or None if the server does not know the path. Raises FaultError if it is not reachable."""
    try:
        return await asking
    except RefusedError:
        return None
    except FaultError as error:
        if error.unreachable:
            raise
        return None


async def _ollama_digest(client: Client, model: str) -> dict[str, Any]:
    models = mapping(await _quiet(client.get("root:/api/tags"))).get("models")
    names = {model, f"{model}:latest"}
    for each in models if isinstance(models, list) else []:
        if isinstance(each, dict) and each.get("name") in names and isinstance(each.get("digest"), str):
            return {"digest": each["digest"]}
    return {}


def _version(found: Mapping[str, Any]) -> str | None:
    version = found.get("version") or found.get("build_info")
    return str(version)[:80] if version is not None else None

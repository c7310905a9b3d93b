"""The address of a server, from `openai:MODEL` and the option base_url, or from `openai:MODEL@ADDRESS`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit
from urllib.request import getproxies

from judgeharness.backends.openai.options import NO_KEY
from judgeharness.domain.api_keys import fault_of, remember
from judgeharness.domain.errors import HarnessError, InputError
from judgeharness.plugins.specs import Kind

OPENAI = "https://api.openai.com/v1"
_MODEL = re.compile(r"(?P<model>.*?)(@(?P<address>https?://.*))?", re.DOTALL | re.IGNORECASE)
_UNCLEAR = re.compile(r"@\s*([\w.+-]+://|[\w.-]+:[0-9]+(/|$)|localhost\b)")


@dataclass(frozen=True, slots=True)
class Address:
    """A model on a server.

    Attributes:
        model: The model's name on the server.
        url: The address including /v1, without a slash at the end.
    """

    model: str
    url: str

    @property
    def root(self) -> str:
        """The address without /v1, for paths outside OpenAI's protocol."""
        return self.url.removesuffix("/v1")

    @property
    def is_openai(self) -> bool:
        """Whether this is OpenAI's own service."""
        return urlsplit(self.url).hostname == urlsplit(OPENAI).hostname


def sensitive(name: str) -> Kind | None:
    """Return "address" if the part after `openai:` holds one, else None."""
    found = _MODEL.fullmatch(name)
    return "address" if found and found["address"] else None


def find_address(name: str, base_url: str | None, environment: Mapping[str, str]) -> Address:
    """Return the address for the part after `openai:`. Raises InputError."""
    found = _MODEL.fullmatch(name)
    model, given = (found["model"], found["address"]) if found else (name, None)
    if not model:
        raise InputError("openai: names no model", "for example openai:gpt-4o or openai:MODEL@http://localhost:8000/v1")
    if given is None and _UNCLEAR.search(name):
        raise InputError(f"openai:{name}: the address is not one such as http://localhost:8000/v1")
    url = (given or base_url or environment.get("OPENAI_BASE_URL") or OPENAI).rstrip("/")
    parts = urlsplit(url)
    # Reject an @ anywhere in the address, since a password may contain slashes.
    if "@" in url or parts.query or parts.fragment:
        raise InputError(
            "base_url: holds a user name, password, query or fragment, which would go into the record",
            "keys come from the environment only: -o key_variable=NAME",
        )
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise InputError(f"base_url={url}: not an address such as http://localhost:8000/v1")
    return Address(model, url)


def find_key(address: Address, variable: str, environment: Mapping[str, str]) -> str:
    """Return the key from the environment, or "none" if there is none or none may be sent.

    Raises HarnessError if the key cannot be sent, or if OpenAI's own service is used without a key.
    """
    key = "" if variable == NO_KEY else environment.get(variable, "").strip()
    fault = fault_of(key)
    if fault is not None:
        raise HarnessError(
            f"the key in {variable} cannot be sent: it has {fault}", f"export {variable}=... and run again"
        )
    remember(key)
    if not key and address.is_openai:
        raise HarnessError(f"{variable} is not set, and OpenAI asks for a key", f"export {variable}=... and run again")
    return key or "none"


def bypassing(address: Address) -> str:
    """Return how to bypass the environment's proxy, as the end of a hint. The text is empty if there is no proxy."""
    if getproxies().keys().isdisjoint({"http", "https", "all"}):
        return ""
    return f"; the environment names a proxy, which NO_PROXY={urlsplit(address.url).hostname} bypasses"

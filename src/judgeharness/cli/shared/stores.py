"""Opening the store for a command."""

from __future__ import annotations

from pathlib import Path

from judgeharness.cli.shared.streams import echo
from judgeharness.store.database import Store, store_path


def open_store(given: str | Path | None, create: bool = False) -> Store:
    """The store that a user names, or the usual one; says so where it was brought up to date.

    Raises as `Store.open`.
    """
    store = Store.open(store_path(None if given is None else str(given)), create)
    if store.backup is not None:
        echo(f"{store.path}: brought up to date; as it was, it is in {store.backup}", err=True)
    return store

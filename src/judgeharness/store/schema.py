"""The tables of the store, and the scripts that upgrade older stores."""

from __future__ import annotations

from collections.abc import Mapping

APPLICATION_ID = 0x4A484152

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "sessions": ("id", "started", "ended", "status", "record"),
    "backends": ("digest", "description"),
    "tasks": ("digest", "name", "split", "labels", "n_items", "n_total", "record"),
    "items": ("task_digest", "position", "uid", "human", "votes", "refs"),
    "scores": ("key", "backend_digest", "session_id", "uid", "kind", "scores", "mass", "censored", "created"),
    "texts": ("key", "backend_digest", "session_id", "uid", "texts", "cut", "created"),
    "replies": ("group_key", "position", "backend_digest", "session_id", "reply"),
    "spending": ("session_id", "scope", "requests", "tokens"),
    "explanation_sets": ("id", "created", "session_id", "name", "origin"),
    "explanations": ("set_id", "uid", "position", "label", "text", "text_key"),
    "runs": (
        "id",
        "created",
        "session_id",
        "task_digest",
        "backend",
        "backend_digest",
        "strategy",
        "transform",
        "temperature",
        "n_items",
        "n_failed",
        "record",
    ),
    "predictions": ("run_id", "uid", "score_key", "probabilities", "failure", "text_keys"),
    "metrics": ("run_id", "name", "value"),
}
"""Each table's columns without the checksum. A table comes after those that it refers to."""

KEYS: Mapping[str, tuple[str, ...]] = {
    "sessions": ("id",),
    "backends": ("digest",),
    "tasks": ("digest",),
    "items": ("task_digest", "position"),
    "scores": ("key",),
    "texts": ("key",),
    "replies": ("group_key", "position"),
    "spending": ("session_id", "scope"),
    "explanation_sets": ("id",),
    "explanations": ("set_id", "uid", "position"),
    "runs": ("id",),
    "predictions": ("run_id", "uid"),
    "metrics": ("run_id", "name"),
}
"""The columns that identify a table's rows."""

CHANGING: Mapping[str, tuple[str, ...]] = {
    "sessions": ("ended", "status"),
    "spending": ("requests", "tokens"),
    "tasks": ("record",),
}
"""Columns that are updated later, so the checksum does not cover them."""

CONTENTS: Mapping[str, tuple[str, ...]] = {
    table: tuple(name for name in columns if name not in CHANGING.get(table, ())) for table, columns in COLUMNS.items()
}
"""The columns that a row's checksum covers, in order."""

_MADE_WITH_CHECKSUMS = ("replies", "spending")

MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE sessions (
        id TEXT PRIMARY KEY,
        started TEXT NOT NULL,
        ended TEXT,
        status TEXT NOT NULL CHECK (status IN ('running', 'done', 'failed', 'interrupted')),
        record TEXT NOT NULL CHECK (json_valid(record))
    ) STRICT;

    CREATE TABLE backends (
        digest TEXT PRIMARY KEY,
        description TEXT NOT NULL CHECK (json_valid(description))
    ) STRICT;

    CREATE TABLE scores (
        key TEXT PRIMARY KEY,
        backend_digest TEXT NOT NULL REFERENCES backends (digest),
        session_id TEXT NOT NULL REFERENCES sessions (id),
        uid TEXT NOT NULL,
        kind TEXT NOT NULL CHECK (kind IN ('logit', 'logprob')),
        scores TEXT NOT NULL CHECK (json_valid(scores)),
        mass TEXT CHECK (mass IS NULL OR json_valid(mass)),
        censored TEXT CHECK (censored IS NULL OR json_valid(censored)),
        created TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE tasks (
        digest TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        split TEXT NOT NULL,
        labels TEXT NOT NULL CHECK (json_valid(labels)),
        n_items INTEGER NOT NULL,
        n_total INTEGER NOT NULL,
        record TEXT NOT NULL CHECK (json_valid(record))
    ) STRICT;

    CREATE TABLE items (
        task_digest TEXT NOT NULL REFERENCES tasks (digest),
        position INTEGER NOT NULL,
        uid TEXT NOT NULL,
        human TEXT NOT NULL CHECK (json_valid(human)),
        votes TEXT CHECK (votes IS NULL OR json_valid(votes)),
        refs TEXT NOT NULL CHECK (json_valid(refs)),
        PRIMARY KEY (task_digest, position)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE runs (
        id TEXT PRIMARY KEY,
        created TEXT NOT NULL,
        session_id TEXT NOT NULL REFERENCES sessions (id),
        task_digest TEXT NOT NULL REFERENCES tasks (digest),
        backend TEXT NOT NULL,
        backend_digest TEXT NOT NULL REFERENCES backends (digest),
        strategy TEXT,
        transform TEXT,
        temperature REAL,
        n_items INTEGER NOT NULL,
        n_failed INTEGER NOT NULL,
        record TEXT NOT NULL CHECK (json_valid(record))
    ) STRICT;

    CREATE TABLE predictions (
        run_id TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
        uid TEXT NOT NULL,
        score_key TEXT,
        probabilities TEXT CHECK (probabilities IS NULL OR json_valid(probabilities)),
        failure TEXT,
        PRIMARY KEY (run_id, uid),
        CHECK ((probabilities IS NULL) <> (failure IS NULL))
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE metrics (
        run_id TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
        name TEXT NOT NULL,
        value REAL,
        PRIMARY KEY (run_id, name)
    ) STRICT, WITHOUT ROWID;
    """,
    """
    CREATE TABLE texts (
        key TEXT PRIMARY KEY,
        backend_digest TEXT NOT NULL REFERENCES backends (digest),
        session_id TEXT NOT NULL REFERENCES sessions (id),
        uid TEXT NOT NULL,
        texts TEXT NOT NULL CHECK (json_valid(texts)),
        cut TEXT NOT NULL CHECK (json_valid(cut)),
        created TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE explanation_sets (
        id TEXT PRIMARY KEY,
        created TEXT NOT NULL,
        session_id TEXT NOT NULL REFERENCES sessions (id),
        name TEXT NOT NULL,
        origin TEXT NOT NULL CHECK (json_valid(origin))
    ) STRICT;

    CREATE TABLE explanations (
        set_id TEXT NOT NULL REFERENCES explanation_sets (id),
        uid TEXT NOT NULL,
        position INTEGER NOT NULL,
        label TEXT NOT NULL,
        text TEXT NOT NULL,
        text_key TEXT,
        UNIQUE (set_id, uid, position)
    ) STRICT;

    ALTER TABLE predictions ADD COLUMN text_keys TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(text_keys));
    """,
    ";\n".join(
        f"ALTER TABLE {table} ADD COLUMN checksum INTEGER;\n"
        f"UPDATE {table} SET checksum = row_checksum({', '.join(columns)})"
        for table, columns in CONTENTS.items()
        if table not in _MADE_WITH_CHECKSUMS
    ),
    """
    CREATE TABLE replies (
        group_key TEXT NOT NULL,
        position INTEGER NOT NULL,
        backend_digest TEXT NOT NULL REFERENCES backends (digest),
        session_id TEXT NOT NULL REFERENCES sessions (id),
        reply TEXT NOT NULL CHECK (json_valid(reply)),
        checksum INTEGER,
        UNIQUE (group_key, position)
    ) STRICT;

    CREATE TABLE spending (
        session_id TEXT NOT NULL REFERENCES sessions (id),
        scope TEXT NOT NULL,
        requests INTEGER NOT NULL,
        tokens INTEGER NOT NULL,
        checksum INTEGER,
        UNIQUE (session_id, scope)
    ) STRICT;

    CREATE TABLE leases (
        key TEXT PRIMARY KEY,
        session_id TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    """,
)
"""Script i upgrades a store from version i to version i + 1. The version is SQLite's user_version."""

"""What tests build by hand: items, tasks, groups, and a way to run the program."""

from __future__ import annotations

import contextlib
import io
import threading
from dataclasses import dataclass
from http.server import ThreadingHTTPServer

from judgeharness.cli.program import run
from judgeharness.domain.nouns import Explanation, Item, Message, Prompt, PromptGroup
from judgeharness.plugins.registry import Registry
from judgeharness.store.answers import FAULTY
from judgeharness.store.database import Store
from judgeharness.tasks.datasets import DataFolders
from judgeharness.tasks.task import Task, load_task


@contextlib.contextmanager
def no_meter(what):
    yield lambda done, total: None


def item(uid="i1", human=(0.5, 0.3, 0.2), explanations=0, **fields) -> Item:
    shown = tuple(Explanation(f"because {n}", n % len(human), n) for n in range(explanations))
    return Item(uid, fields or {"premise": "p", "hypothesis": "h"}, human, None, shown)


def group(uid="i1", orders=((0, 1, 2),)) -> PromptGroup:
    return PromptGroup(uid, tuple(Prompt((Message("user", f"{uid} {order}"),), order) for order in orders))


def faulty(store: Store, backend_digest: str) -> int:
    """How many answers of a backend count as missing, since they are no log-probabilities."""
    query = f"SELECT count(*) FROM scores WHERE backend_digest = ? AND {FAULTY}"
    return store.connection.execute(query, (backend_digest,)).fetchone()[0]


def bundled(name: str, folders: DataFolders, split=None) -> Task:
    return load_task(Registry.from_environment().tasks.load(name)(), folders, no_meter, split)


@contextlib.contextmanager
def serving(handler):
    """A real HTTP server on this machine for a while; gives its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass
class Result:
    code: int
    out: str
    err: str


def judgeharness(*arguments: str) -> Result:
    """Run the program in this process."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = run([str(each) for each in arguments])
    return Result(code, out.getvalue(), err.getvalue())

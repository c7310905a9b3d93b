"""Options of the executor `ray`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from judgeharness.plugin import Options, Sensitive


class RayOptions(Options):
    """What `-o key=value` sets for `--executor ray`.

    ray_address: of a running cluster; one is started on this machine unless given, and stopped again. ray_workers: how
    many models are loaded: one for each GPU of the cluster unless given, or, where it has none, one for each machine.
    ray_gpus: of each worker: 1 where there are any. ray_cpus: of each worker: an even share. ray_item_tokens: groups
    are sent together up to so many tokens. ray_attempts: how often a group is tried when workers die of it.
    """

    ray_address: Annotated[str | None, Sensitive("address")] = None
    ray_workers: Annotated[int, Field(ge=1, le=10_000)] | None = None
    ray_gpus: Annotated[float, Field(ge=0, le=1024)] | None = None
    ray_cpus: Annotated[float, Field(gt=0, le=4096)] | None = None
    ray_item_tokens: Annotated[int, Field(ge=1)] = 8192
    ray_attempts: Annotated[int, Field(ge=1, le=100)] = 5

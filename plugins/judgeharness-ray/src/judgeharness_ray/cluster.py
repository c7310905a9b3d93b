"""The cluster: reaching or starting one, and how its machines and GPUs are shared out."""

from __future__ import annotations

import logging
import math
import os
import socket
from dataclasses import dataclass
from typing import Any

import ray

from judgeharness.plugin import HarnessError, InputError
from judgeharness_ray.options import RayOptions

CONNECT_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Share:
    """How many workers there are, and what each of them gets."""

    workers: int
    cpus: float
    gpus: float


def connect(address: str | None) -> bool:
    """Reach the cluster at an address, or start one here; whether there is anything to be undone. Raises HarnessError.

    Nothing is done where this process is connected already.
    """
    if ray.is_initialized():
        return False
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    # What Ray will do by itself some day: it warns of it at each start.
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    if address is not None:
        _require_listener(address)
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    try:
        if address is None:
            # Not the cluster that was last heard of here, which may be gone.
            ray.init(address="local", include_dashboard=False, **quiet)
        else:
            ray.init(address=address, **quiet)
    except (ConnectionError, RuntimeError, ValueError, OSError) as error:
        what = "no Ray cluster can be started here" if address is None else f"--ray-address {address}: no cluster there"
        first = str(error).strip().splitlines()
        hint = None if address is None else "a cluster that asks for tokens needs RAY_AUTH_MODE=token here too"
        raise HarnessError(f"{what}: {first[0] if first else type(error).__name__}", hint) from error
    return True


def _require_listener(address: str) -> None:
    """Raises HarnessError where nobody listens at host:port: Ray itself would wait for minutes."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if not colon or not port.isdecimal():
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=CONNECT_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise HarnessError(f"--ray-address {address}: no cluster there: {error}") from error


def share(options: RayOptions) -> Share:
    """How the cluster is shared out. Raises InputError where there is no room for a single worker."""
    # Ray is annotated in parts only.
    found_nodes: Any = ray.nodes
    nodes = [node["Resources"] for node in found_nodes() if node["Alive"]]
    found = share_of([(node.get("CPU", 0.0), node.get("GPU", 0.0)) for node in nodes], options)
    if not any(node.get("CPU", 0.0) >= found.cpus and node.get("GPU", 0.0) >= found.gpus for node in nodes):
        raise InputError(f"no machine of the cluster has {found.cpus:g} CPUs and {found.gpus:g} GPUs for a worker")
    return found


def share_of(nodes: list[tuple[float, float]], options: RayOptions) -> Share:
    """How machines with so many CPUs and GPUs each are shared out."""
    cpus, gpus = (sum(numbers) for numbers in zip(*nodes, strict=True)) if nodes else (0.0, 0.0)
    of_gpus = options.ray_gpus if options.ray_gpus is not None else min(1.0, gpus)
    workers = options.ray_workers or (int(gpus / of_gpus) if of_gpus else len(nodes))
    workers = max(workers, 1)
    if options.ray_cpus is not None:
        return Share(workers, options.ray_cpus, of_gpus)
    # As many whole CPUs as every worker can have where they are spread over machines of different size.
    smallest = min((cpu for cpu, gpu in nodes if gpu >= of_gpus), default=cpus)
    on_one = math.ceil(workers / max(len(nodes), 1))
    even = max(1.0, math.floor(smallest / on_one))
    return Share(workers, min(even, smallest) if smallest else even, of_gpus)

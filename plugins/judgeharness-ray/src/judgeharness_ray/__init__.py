"""The executor `ray`: models on several GPUs and machines."""

from __future__ import annotations

from judgeharness.plugin import ExecutorSpec, Flag, hookimpl


@hookimpl
def judgeharness_executors() -> list[ExecutorSpec]:
    """Return the executor of this distribution."""
    return [
        ExecutorSpec(
            name="ray",
            summary="on the machines and GPUs of a Ray cluster, or in several processes on this machine",
            target="judgeharness_ray.executor:RayExecutor",
            options="judgeharness_ray.options:RayOptions",
            flags=(
                Flag(
                    "ray-address",
                    "ray_address",
                    "ADDRESS",
                    "Address of the cluster for --executor ray: 10.0.0.1:6379, ray://host:10001 or auto."
                    "  [default: a new cluster on this machine]",
                ),
            ),
        )
    ]

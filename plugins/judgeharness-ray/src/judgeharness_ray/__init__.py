"""The executor `ray`: models on several GPUs and machines."""

from __future__ import annotations

from judgeharness.plugin import ExecutorSpec, Flag, hookimpl


@hookimpl
def judgeharness_executors() -> list[ExecutorSpec]:
    """The executor of this distribution."""
    return [
        ExecutorSpec(
            name="ray",
            summary="on the GPUs and machines of a Ray cluster, or on several parts of this machine",
            target="judgeharness_ray.executor:RayExecutor",
            options="judgeharness_ray.options:RayOptions",
            flags=(
                Flag(
                    "ray-address",
                    "ray_address",
                    "ADDRESS",
                    "With --executor ray: the cluster, such as 10.0.0.1:6379, ray://host:10001 or auto.",
                ),
            ),
        )
    ]

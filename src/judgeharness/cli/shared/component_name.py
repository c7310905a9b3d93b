"""Parameter type for names of components."""

from __future__ import annotations

import click
from click.shell_completion import CompletionItem


class ComponentName(click.ParamType[str]):
    """Name of a component. Shells complete it; the command that uses it checks it."""

    def __init__(self, kind: str, name: str = "text") -> None:
        self.kind = kind
        self.name = name

    def shell_complete(
        self, context: click.Context, parameter: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Return the names that start with the given text, with their summaries."""
        from judgeharness.plugins.registry import Registry

        registry = Registry.from_environment()
        specs = [spec for spec, _ in getattr(registry, self.kind)]
        named = [(spec.name, spec.summary) for spec in specs]
        if self.kind == "backends":
            named = [(f"{spec.name}:", spec.summary) for spec in specs]
            named += [(f"{spec.name}:{alias.name}", alias.resolves_to) for spec in specs for alias in spec.aliases]
        return [CompletionItem(name, help=summary) for name, summary in named if name.startswith(incomplete)]

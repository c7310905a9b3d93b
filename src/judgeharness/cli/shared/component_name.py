"""The type of options that name a component."""

from __future__ import annotations

import click
from click.shell_completion import CompletionItem


class ComponentName(click.ParamType[str]):
    """The name of a component, completed from those that there are; anything is let through to be checked later."""

    def __init__(self, kind: str, name: str = "text") -> None:
        self.kind = kind
        self.name = name

    def shell_complete(
        self, context: click.Context, parameter: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """The names that begin so, with their summaries."""
        from judgeharness.plugins.registry import Registry

        registry = Registry.from_environment()
        specs = [spec for spec, _ in getattr(registry, self.kind)]
        named = [(spec.name, spec.summary) for spec in specs]
        if self.kind == "backends":
            named = [(f"{spec.name}:", spec.summary) for spec in specs]
            named += [(f"{spec.name}:{alias.name}", alias.resolves_to) for spec in specs for alias in spec.aliases]
        return [CompletionItem(name, help=summary) for name, summary in named if name.startswith(incomplete)]

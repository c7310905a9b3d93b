"""`judgeharness completion`: what a shell needs to complete commands, options and the names of components."""

from __future__ import annotations

import click
from click.shell_completion import CompletionItem, get_completion_class

from judgeharness.cli.streams import echo

PROGRAM = "judgeharness"
VARIABLE = "_JUDGEHARNESS_COMPLETE"


class ComponentName(click.ParamType[str]):
    """The name of a component, completed from those that there are; anything is let through to be checked later."""

    def __init__(self, kind: str, name: str = "text") -> None:
        self.kind = kind
        self.name = name

    def shell_complete(
        self, context: click.Context, parameter: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """The names that begin so, with their summaries."""
        from judgeharness.registry import Registry

        registry = Registry.from_environment()
        specs = [spec for spec, _ in getattr(registry, self.kind)]
        named = [(spec.name, spec.summary) for spec in specs]
        if self.kind == "backends":
            named = [(f"{spec.name}:", spec.summary) for spec in specs]
            named += [(f"{spec.name}:{alias.name}", alias.resolves_to) for spec in specs for alias in spec.aliases]
        return [CompletionItem(name, help=summary) for name, summary in named if name.startswith(incomplete)]


@click.command("completion")
@click.argument("shell", type=click.Choice(("bash", "zsh", "fish")))
def command(shell: str) -> None:
    r"""Print the completion script of a SHELL.

    \b
    bash: judgeharness completion bash >> ~/.bashrc
    zsh:  judgeharness completion zsh >> ~/.zshrc
    fish: judgeharness completion fish > ~/.config/fish/completions/judgeharness.fish
    """
    from judgeharness.cli.program import program

    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"no completion for {shell}")
    echo(kind(program, {}, PROGRAM, VARIABLE).source())

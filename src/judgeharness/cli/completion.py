"""`judgeharness completion`: what a shell needs to complete commands, options and the names of components."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from judgeharness.cli.shared.streams import echo

PROGRAM = "judgeharness"
VARIABLE = "_JUDGEHARNESS_COMPLETE"


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

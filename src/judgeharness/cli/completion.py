"""`judgeharness completion`: prints the script that completes commands, options and component names."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from judgeharness.cli.shared.streams import echo

PROGRAM = "judgeharness"
VARIABLE = "_JUDGEHARNESS_COMPLETE"


EXAMPLES = """\b
Examples:
  judgeharness completion bash >> ~/.bashrc
  judgeharness completion zsh >> ~/.zshrc
  judgeharness completion fish > ~/.config/fish/completions/judgeharness.fish
"""


@click.command("completion", epilog=EXAMPLES)
@click.argument("shell", type=click.Choice(("bash", "zsh", "fish")))
def command(shell: str) -> None:
    """Print a completion script for the shell."""
    from judgeharness.cli.program import program

    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"no completion for {shell}")
    echo(kind(program, {}, PROGRAM, VARIABLE).source())

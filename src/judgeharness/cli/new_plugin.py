"""`judgeharness new-plugin`: creates a plugin."""

from __future__ import annotations

from pathlib import Path

import click

from judgeharness.cli.shared.streams import echo
from judgeharness.plugins.scaffold import KINDS

EXAMPLES = """\b
Example:
  judgeharness new-plugin my-metric --kind metric
"""


@click.command("new-plugin", epilog=EXAMPLES)
@click.argument("name")
@click.option("--kind", type=click.Choice(tuple(KINDS)), required=True, help="Component that the plugin provides.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    default=".",
    metavar="DIR",
    help="Folder in which to create it.  [default: the current folder]",
)
def command(name: str, kind: str, out: Path) -> None:
    """Create a plugin with one component and passing tests.

    Writes a typed package to the folder NAME. You can install it as it is: judgeharness finds it by its entry point.
    """
    from judgeharness.plugins.scaffold import scaffold, write

    made = scaffold(name, kind)
    folder = write(made, out)
    for path in made.files:
        echo(f"wrote {folder / path}")
    echo(f"\nNext:\n  cd {folder}\n  pip install -e '.[test]'\n  pytest\n  {made.try_it}")

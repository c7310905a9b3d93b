"""`judgeharness new-plugin`: the first version of a plugin of one's own."""

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
@click.option("--kind", type=click.Choice(tuple(KINDS)), required=True, help="What it provides.")
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False, exists=True), default=".", metavar="DIR", help="Where."
)
def command(name: str, kind: str, out: Path) -> None:
    """Write a small distribution with one component, and tests that pass: a folder NAME.

    It is typed, has the entry point by which judgeharness finds it, and can be installed as it is.
    """
    from judgeharness.plugins.scaffold import scaffold, write

    made = scaffold(name, kind)
    folder = write(made, out)
    for path in made.files:
        echo(f"wrote {folder / path}")
    echo(f"\nNext:\n  cd {folder}\n  pip install -e '.[test]'\n  pytest\n  {made.try_it}")

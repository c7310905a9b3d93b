"""`--trust`, and the question that replaces it on a terminal: the user grants what a record or suite asks for."""

from __future__ import annotations

import sys
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

import click

from judgeharness.cli.shared.streams import echo
from judgeharness.plugins.specs import KINDS, Kind

if TYPE_CHECKING:
    from judgeharness.evaluation.request import Request
    from judgeharness.evaluation.trust import Demand, Proposal
    from judgeharness.plugins.registry import Registry


class _Kinds(click.ParamType[tuple[Kind, ...]]):
    name = "kind"

    def convert(
        self, value: object, parameter: click.Parameter | None, context: click.Context | None
    ) -> tuple[Kind, ...]:
        """Parse kinds separated by commas."""
        words = [word.strip() for word in str(value).split(",")]
        for word in words:
            if word not in KINDS:
                self.fail(f"'{word}' is not one of {', '.join(KINDS)}", parameter, context)
        return tuple(kind for kind in KINDS if kind in words)


trust_option = click.option(
    "--trust",
    "trusted",
    multiple=True,
    type=_Kinds(),
    metavar="KIND[,KIND]",
    callback=lambda context, parameter, value: frozenset(kind for kinds in value for kind in kinds),
    help="Allow the record or suite to run code, contact an address, send a secret or start a program. "
    f"KIND is one of {', '.join(KINDS)} (repeatable).",
)


def settled(proposals: Sequence[Proposal], registry: Registry, trusted: Collection[Kind]) -> list[Request]:
    """Turn proposals into requests if the user grants what they ask for. Raises InputError if the user refuses."""
    from judgeharness.evaluation import trust

    missing = {
        demand: proposal.source
        for proposal in proposals
        for demand in trust.demands(proposal, registry)
        if demand.kind not in trusted
    }
    if missing and _at_a_terminal() and _confirmed(missing):
        trusted = {*trusted, *(demand.kind for demand in missing)}
    requests = []
    for proposal in proposals:
        request, left_out = trust.settle(proposal, registry, trusted)
        for name in left_out:
            echo(f"{name} is not used: no key goes to an address from a record or a suite", err=True)
        requests.append(request)
    return requests


def _at_a_terminal() -> bool:
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()


def _confirmed(missing: dict[Demand, str]) -> bool:
    from judgeharness.domain.escaping import safe_line

    for demand, source in missing.items():
        echo(safe_line(f"{source}: {demand}"), err=True)
    return click.confirm("Do you trust it, and go on?", default=False, err=True)

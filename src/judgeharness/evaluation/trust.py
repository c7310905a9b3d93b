"""What only the user may grant to a record or a suite: code, addresses, secrets and programs.

A store or a suite may come from anybody. What it asks for is a `Proposal`, which `settle` turns into a request.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, cast

from judgeharness.domain.errors import HarnessError, InputError
from judgeharness.evaluation.components import backend_spec
from judgeharness.evaluation.request import Request
from judgeharness.plugins import options
from judgeharness.plugins.registry import Catalog, Registry
from judgeharness.plugins.specs import KINDS, BackendSpec, Kind

MAX_SHOWN = 500
WORDS: Mapping[Kind, str] = {
    "code": "runs code",
    "address": "can contact an address",
    "secret": "sends a secret",
    "program": "starts a program",
}


@dataclass(frozen=True, slots=True)
class Proposal:
    """A request that comes from a record or a suite.

    Attributes:
        request: The request.
        source: Where it comes from, for messages, such as "run 12ab".
        values: Those of the request's options that the user gave in this call.
        backends: Those of the request's backends that the user gave in this call.
    """

    request: Request
    source: str
    values: Mapping[str, str] = field(default_factory=dict)
    backends: Collection[str] = ()

    def on(self, executor: str, values: Mapping[str, str]) -> Proposal:
        """Return the proposal with an executor that the user chose, and options for it."""
        request = replace(self.request, executor=executor, values={**self.request.values, **values})
        return replace(self, request=request, values={**self.values, **values})


@dataclass(frozen=True, slots=True)
class Demand:
    """Something that only the user may grant. `what` names the option or the component that demands it."""

    kind: Kind
    what: str

    def __str__(self) -> str:
        """Describe the demand in words."""
        return f"{self.what} {WORDS[self.kind]}"


def demands(proposal: Proposal, registry: Registry) -> list[Demand]:
    """Return what a proposal demands, without repetition. Raises as options and the registry do."""
    request = proposal.request
    parts: list[tuple[Catalog[Any], str]] = [
        *((registry.strategies, name) for name in request.strategies),
        *((registry.transforms, name) for name in request.transforms),
        (registry.executors, request.executor),
    ]
    found = [each for name in request.backends for each in _of_backend(name, proposal, registry)]
    for catalog, name in parts:
        found += _of_options(f"{catalog.kind} {name}", catalog, name, request.values, proposal.values)
    return list(dict.fromkeys(found))


def settle(proposal: Proposal, registry: Registry, trusted: Collection[Kind]) -> tuple[Request, list[str]]:
    """Return the request, and the names of secrets that were left out because they would go to untrusted places.

    Raises:
        InputError: The proposal demands something that is not trusted.
    """
    require_trusted(demands(proposal, registry), proposal.source, trusted)
    request = proposal.request
    if "secret" in trusted:
        return request, []
    left_out: dict[str, str] = {}
    for name in request.backends:
        if _goes_elsewhere(_of_backend(name, proposal, registry)):
            marks = options.sensitive(registry.backends.load_options(backend_spec(registry, name)[0].name))
            left_out |= {key: mark.without for key, mark in marks.items() if mark.without is not None}
    return replace(request, values={**request.values, **left_out}), list(left_out)


def require_trusted(asked: Collection[Demand], source: str, trusted: Collection[Kind] = ()) -> None:
    """Raise InputError if something is demanded that is not trusted. The message says what to type."""
    missing = [each for each in asked if each.kind not in trusted]
    if missing:
        kinds = [kind for kind in KINDS if kind in trusted or any(each.kind == kind for each in missing)]
        raise InputError(
            f"{shortened(source)}: {'; '.join(map(str, missing))}",
            f"that is not taken from a record or a suite: if you trust it, add --trust {','.join(kinds)}",
        )


def harmless(source: str, catalog: Catalog[Any], name: str, values: Mapping[str, str]) -> Mapping[str, str]:
    """Return a component's recorded options, for commands without --trust. Raises InputError if one is sensitive."""
    asked = list(_of_options(f"{catalog.kind} {name}", catalog, name, values, {}))
    if asked:
        raise InputError(
            f"{shortened(source)}: {'; '.join(map(str, asked))}",
            "that is not taken from a record; 'judgeharness rerun' can be told to trust it",
        )
    return values


def caution(proposal: Proposal, registry: Registry) -> str | None:
    """Return a comment to print above the proposal's command line, or None if the proposal demands nothing.

    The comment contains no text from the proposal.
    """
    try:
        kinds = {each.kind for each in demands(proposal, registry)}
    except HarnessError:
        return "# This comes from the record, and cannot be checked here: run it only if you trust the record."
    if not kinds:
        return None
    what = " and ".join(WORDS[kind] for kind in KINDS if kind in kinds)
    return f"# This comes from the record, and {what}: run it only if you trust the record."


def shortened(text: str) -> str:
    """Shorten a text from a record for messages."""
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}... ({len(text):,} characters)"


def _of_backend(name: str, proposal: Proposal, registry: Registry) -> list[Demand]:
    catalog, what, values = registry.backends, f"backend {shortened(name)}", proposal.request.values
    spec, model = backend_spec(registry, name)
    found = []
    kind = _kind_of(model, spec, catalog)
    if kind is not None and name not in proposal.backends:
        found.append(Demand(kind, what))
    found += _of_options(what, catalog, spec.name, values, proposal.values)
    if _goes_elsewhere(found):
        found += _secrets(what, catalog, spec.name, values, proposal.values)
    return found


def _kind_of(model: str, spec: BackendSpec, catalog: Catalog[BackendSpec]) -> Kind | None:
    """Return the kind of demand that a model's name makes, if any. Raises HarnessError if the plugin cannot say."""
    said = spec.sensitive
    found: Any = said if said is None or said in KINDS else catalog.load_part(spec.name, said)(model)
    if found is not None and found not in KINDS:
        raise catalog.wall(spec.name).broken("sensitive", f"it says {found!r}, which is not one of {', '.join(KINDS)}")
    return cast(Kind | None, found)


def _goes_elsewhere(found: Collection[Demand]) -> bool:
    return any(each.kind != "secret" for each in found)


def _secrets(
    what: str, catalog: Catalog[Any], name: str, values: Mapping[str, str], given: Mapping[str, str]
) -> Iterator[Demand]:
    """Yield the user's secrets that would go to a place that only the proposal names.

    A secret that can be left out counts only if the user gave it in this call.
    """
    known = catalog.load_options(name)
    chosen = _chosen(catalog, name, values)
    for key, mark in options.sensitive(known).items():
        if mark.kind == "secret" and (key in given or mark.without is None):
            value = getattr(chosen, key)
            if value not in (None, mark.without):
                yield Demand("secret", f"option {key}={shortened(str(value))} of {what}")


def _of_options(
    what: str, catalog: Catalog[Any], name: str, values: Mapping[str, str], given: Mapping[str, str]
) -> Iterator[Demand]:
    """Yield sensitive options that the user did not give and that are not at their defaults."""
    known = catalog.load_options(name)
    marks = options.sensitive(known)
    foreign = [key for key in marks if key in values and key not in given]
    if known is None or not foreign:
        return
    chosen = _chosen(catalog, name, values)
    for key in foreign:
        if getattr(chosen, key) not in (known.model_fields[key].default, marks[key].without):
            yield Demand(marks[key].kind, f"option {key}={shortened(values[key])} of {what}")


def _chosen(catalog: Catalog[Any], name: str, values: Mapping[str, str]) -> Any:
    return catalog.wall(name).call("its options", options.build, catalog.load_options(name), values, name)

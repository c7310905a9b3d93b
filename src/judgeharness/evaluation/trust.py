"""What a record or a suite asks for that only the user may grant: code, addresses, secrets and programs.

A store or a suite may come from anybody. What it asks for is a `Proposal`; `settle` turns it into a request.
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

    source: such as "run 12ab", for messages. values, backends: those of the request that the user gave in this call.
    """

    request: Request
    source: str
    values: Mapping[str, str] = field(default_factory=dict)
    backends: Collection[str] = ()

    def on(self, executor: str, values: Mapping[str, str]) -> Proposal:
        """The same on an executor that the user chose, with options for it."""
        request = replace(self.request, executor=executor, values={**self.request.values, **values})
        return replace(self, request=request, values={**self.values, **values})


@dataclass(frozen=True, slots=True)
class Demand:
    """Something that only the user may grant. what: the option or the name that asks for it."""

    kind: Kind
    what: str

    def __str__(self) -> str:
        """In words."""
        return f"{self.what} {WORDS[self.kind]}"


def demands(proposal: Proposal, registry: Registry) -> list[Demand]:
    """What a proposal asks for, each once. Raises as options and the registry do."""
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
    """The request, and the secrets that are left out of it: none goes to what only the proposal names.

    Raises InputError where the proposal asks for what is not trusted.
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
    """Raises InputError where something is asked for that is not trusted; it says what to type."""
    missing = [each for each in asked if each.kind not in trusted]
    if missing:
        kinds = [kind for kind in KINDS if kind in trusted or any(each.kind == kind for each in missing)]
        raise InputError(
            f"{shortened(source)}: {'; '.join(map(str, missing))}",
            f"that is not taken from a record or a suite: if you trust it, add --trust {','.join(kinds)}",
        )


def harmless(source: str, catalog: Catalog[Any], name: str, values: Mapping[str, str]) -> Mapping[str, str]:
    """A component's options from a record, for commands that take no trust. Raises InputError for any other."""
    asked = list(_of_options(f"{catalog.kind} {name}", catalog, name, values, {}))
    if asked:
        raise InputError(
            f"{shortened(source)}: {'; '.join(map(str, asked))}",
            "that is not taken from a record; 'judgeharness rerun' can be told to trust it",
        )
    return values


def caution(proposal: Proposal, registry: Registry) -> str | None:
    """A comment to stand before the proposal's command line, where somebody may copy it; None if it asks for nothing.

    No word of it is the proposal's.
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
    """A text from a record as messages show it."""
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
    """What a model's name is. Raises HarnessError where the plugin cannot say."""
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
    """Secrets of the user's that would go to what only the proposal names, and cannot be left out or were named."""
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
    """Sensitive options that are not given by the user, and not at their defaults."""
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

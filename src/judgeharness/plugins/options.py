"""Component options: turns `-o key=value` strings into pydantic models, and lists the known keys if one is unknown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import BaseModel, ConfigDict, ValidationError

from judgeharness.domain.errors import InputError, nearest
from judgeharness.plugins.specs import Kind

TEMPERATURE = "temperature"


@dataclass(frozen=True, slots=True)
class Sensitive:
    """Marks an option whose value is never taken from a record or a suite unless the user trusts it.

    For example `base_url: Annotated[str | None, Sensitive("address")] = None`. The default value must be harmless.

    Attributes:
        kind: What the value permits.
        without: For a secret, the value that sends none.
    """

    kind: Kind
    without: str | None = None


class Options(BaseModel):
    """Base class of a component's options. Options are frozen, and unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())


class NoOptions(Options):
    """For components without options."""


def with_temperature(values: Mapping[str, str], temperature: float | None) -> dict[str, str]:
    """Return the values, with the transform's temperature added if one is given."""
    return {**values, **({} if temperature is None else {TEMPERATURE: str(temperature)})}


def parse_pairs(pairs: Sequence[str]) -> dict[str, str]:
    """Parse `key=value` strings. Raises InputError for a string without '=' or a duplicate key."""
    values: dict[str, str] = {}
    for pair in pairs:
        key, sign, value = pair.partition("=")
        if not sign or not key.strip():
            raise InputError(f"-o {pair}: not of the form key=value")
        if key.strip() in values:
            raise InputError(f"-o {pair}: '{key.strip()}' is given twice")
        values[key.strip()] = value.strip()
    return values


def accepted(model: type[BaseModel] | None, values: Mapping[str, str]) -> dict[str, str]:
    """Return the values whose keys the model has."""
    known = model.model_fields if model is not None else {}
    return {key: value for key, value in values.items() if key in known}


def require_known(values: Mapping[str, str], models: Mapping[str, type[BaseModel] | None]) -> None:
    """Raise InputError if none of the components has a key. The error lists the available options."""
    for key in values:
        if any(model is not None and key in model.model_fields for model in models.values()):
            continue
        raise InputError(f"unknown option '{key}': {_near(key, models)}", _listing(models))


def build(model: type[BaseModel] | None, values: Mapping[str, str], component: str) -> Any:
    """Build the component's options from strings. Raises InputError that names the component, the key and the error."""
    if model is None:
        return NoOptions()
    try:
        return model.model_validate(accepted(model, values))
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        given = f"={values[key]}" if key in values else ""
        raise InputError(f"option {key}{given} of {component}: {first['msg']}", _listing({component: model})) from error


def sensitive(model: type[BaseModel] | None) -> dict[str, Sensitive]:
    """Return the options that are marked as sensitive, by name."""
    fields = model.model_fields if model is not None else {}
    marks = {name: (*field.metadata, *_annotated(field.annotation)) for name, field in fields.items()}
    found = ((name, next((each for each in of if isinstance(each, Sensitive)), None)) for name, of in marks.items())
    return {name: mark for name, mark in found if mark is not None}


def _annotated(annotation: Any) -> Iterator[Any]:
    """Yield the annotations anywhere in a type. pydantic keeps only those on the outside."""
    yield from getattr(annotation, "__metadata__", ())
    for part in get_args(annotation):
        yield from _annotated(part)


def word(value: Any) -> str:
    """Return a value as it would be written with `-o`."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _near(key: str, models: Mapping[str, type[BaseModel] | None]) -> str:
    known = sorted({name for model in models.values() if model is not None for name in model.model_fields})
    return nearest(key, known)


def _listing(models: Mapping[str, type[BaseModel] | None]) -> str:
    parts = []
    for component, model in models.items():
        if model is not None and model.model_fields:
            fields = ", ".join(f"{name}={_default(field.default)}" for name, field in model.model_fields.items())
            parts.append(f"{component} takes {fields}")
    return "; ".join(parts) if parts else "none of the components takes options"


def _default(value: Any) -> str:
    return "auto" if value is None else word(value)

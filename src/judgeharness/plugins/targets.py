"""Importing what a spec points to, behind the wall of its plugin, with the errors that a user can act on."""

from __future__ import annotations

import importlib
from typing import Any

from judgeharness.domain.errors import HarnessError, MissingExtraError
from judgeharness.plugins.loading import Plugin
from judgeharness.plugins.specs import Spec
from judgeharness.plugins.walls import EXPECTED, TRACE, said


def resolve(target: str) -> Any:
    """The object behind "module:object". Raises ImportError or AttributeError."""
    module, _, name = target.partition(":")
    return getattr(importlib.import_module(module), name)


def load(spec: Spec, plugin: Plugin) -> Any:
    """The object behind a spec's target.

    Raises MissingExtraError where a package of the spec's extra is absent, HarnessError where the target is broken.
    """
    return load_at(spec, plugin, spec.target)


def load_options(spec: Spec, plugin: Plugin) -> Any | None:
    """The pydantic model behind a spec's options, or None. Errors as for `load`, and for what is no such model."""
    if spec.options is None:
        return None
    model = load_at(spec, plugin, spec.options)
    if not isinstance(model, type) or not hasattr(model, "model_fields"):
        raise HarnessError(f"the options of {spec.kind} '{spec.name}' of {plugin.provider} are not a pydantic model")
    return model


def load_at(spec: Spec, plugin: Plugin, target: str) -> Any:
    """An object of a component, by "module:object". Errors as for `load`."""
    what = f"{spec.kind} '{spec.name}'"
    try:
        return resolve(target)
    except ModuleNotFoundError as error:
        if spec.extra is None or error.name == target.partition(":")[0]:
            raise HarnessError(f"{what} of {plugin.provider} cannot be imported: {error}") from error
        distribution = plugin.distribution or "judgeharness"
        raise MissingExtraError(what, f"{distribution}[{spec.extra}]", f"no module named {error.name}") from error
    except (ImportError, AttributeError) as error:
        raise HarnessError(f"{what} of {plugin.provider} cannot be imported: {error}") from error
    except EXPECTED:
        raise
    # A module may raise anything; SystemExit among it.
    except BaseException as error:
        raise HarnessError(f"{what} of {plugin.provider} cannot be imported: {said(error)}", TRACE) from error

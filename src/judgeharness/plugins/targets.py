"""Imports a spec's target behind its plugin's wall, and turns failures into errors that a user can act on."""

from __future__ import annotations

import importlib
from typing import Any

from judgeharness.domain.errors import HarnessError, MissingExtraError
from judgeharness.plugins.loading import Plugin
from judgeharness.plugins.specs import Spec
from judgeharness.plugins.walls import EXPECTED, TRACE, said


def resolve(target: str) -> Any:
    """Return the object for "module:object". Raises ImportError or AttributeError."""
    module, _, name = target.partition(":")
    return getattr(importlib.import_module(module), name)


def load(spec: Spec, plugin: Plugin) -> Any:
    """Return the object for a spec's target.

    Raises:
        MissingExtraError: If a package from the spec's extra is missing.
        HarnessError: If the target is broken.
    """
    return load_at(spec, plugin, spec.target)


def load_options(spec: Spec, plugin: Plugin) -> Any | None:
    """Return the pydantic model for a spec's options, or None. Raises as `load`, and if it is not such a model."""
    if spec.options is None:
        return None
    model = load_at(spec, plugin, spec.options)
    if not isinstance(model, type) or not hasattr(model, "model_fields"):
        raise HarnessError(f"the options of {spec.kind} '{spec.name}' of {plugin.provider} are not a pydantic model")
    return model


def load_at(spec: Spec, plugin: Plugin, target: str) -> Any:
    """Return an object of a component, given as "module:object". Raises as `load` does.

    A plugin that is one file may name itself by the file's stem.
    """
    what = f"{spec.kind} '{spec.name}'"
    module, _, name = target.partition(":")
    try:
        return resolve(f"{plugin.module}:{name}" if plugin.module and module == plugin.name else target)
    except ModuleNotFoundError as error:
        if spec.extra is None or error.name == module:
            raise HarnessError(f"{what} of {plugin.provider} cannot be imported: {error}") from error
        distribution = plugin.distribution or "judgeharness"
        raise MissingExtraError(what, f"{distribution}[{spec.extra}]", f"no module named {error.name}") from error
    except (ImportError, AttributeError) as error:
        raise HarnessError(f"{what} of {plugin.provider} cannot be imported: {error}") from error
    except EXPECTED:
        raise
    # A module may raise anything, including SystemExit.
    except BaseException as error:
        raise HarnessError(f"{what} of {plugin.provider} cannot be imported: {said(error)}", TRACE) from error

"""What all commands of one call share."""

from __future__ import annotations

from collections.abc import Sequence

from judgeharness.cli.shared.streams import echo
from judgeharness.domain.escaping import safe_line
from judgeharness.plugins.loading import Plugin
from judgeharness.plugins.registry import Registry


class Session:
    """What all commands of one call share: the plugins, loaded once they are needed, and whether to show traces."""

    def __init__(self) -> None:
        self.given: list[str] = []
        self.debug = False
        self._registry: Registry | None = None
        self._warned: set[str] = set()

    @property
    def registry(self) -> Registry:
        """All components."""
        if self._registry is None:
            self._registry = Registry.from_environment(self.given)
            self._warn(self._registry.failures())
        return self._registry

    def add_plugins(self, words: Sequence[str]) -> None:
        """Take --plugin values; they may stand before or after the command."""
        new = [word for word in words if word not in self.given]
        if new:
            self.given += new
            self._registry = None

    def _warn(self, failures: Sequence[Plugin]) -> None:
        for plugin in failures:
            if plugin.name not in self._warned:
                self._warned.add(plugin.name)
                echo(safe_line(f"warning: plugin '{plugin.name}' could not be loaded: {plugin.error}"), err=True)

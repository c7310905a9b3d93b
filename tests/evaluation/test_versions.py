"""The record of a session: what ran, and no secret."""

import os
import platform
from importlib.metadata import version

from judgeharness.domain.version import __version__
from judgeharness.evaluation.versions import environment_lines, package_versions, session_record


def test_a_session_says_what_its_numbers_depend_on(registry, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret-secret-secret")
    record = session_record(["eval", "--limit", "3"], registry.plugins)
    assert record.command == ["judgeharness", "eval", "--limit", "3"]
    assert record.judgeharness == __version__
    assert record.python == platform.python_version()
    assert record.packages["numpy"] == version("numpy")
    assert record.cpus == os.cpu_count()
    assert "sk-secret" not in record.text()


def test_packages_that_are_not_installed_are_left_out():
    assert package_versions(["numpy", "no-such-package-at-all"]) == {"numpy": version("numpy")}


def test_a_bug_report_has_four_lines(registry):
    lines = environment_lines(registry.plugins)
    assert lines[0].startswith(f"judgeharness {__version__}")
    assert len(lines) == 4

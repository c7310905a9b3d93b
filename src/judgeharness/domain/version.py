"""The version of judgeharness."""

__version__ = "0.1.0"

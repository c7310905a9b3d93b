"""judgeharness: how well do language models, used as judges, approximate human judgment distributions?"""

from judgeharness.hookspecs import hookimpl

__all__ = ["__version__", "hookimpl"]

__version__ = "0.1.0"

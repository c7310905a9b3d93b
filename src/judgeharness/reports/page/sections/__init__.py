"""The sections that ship with judgeharness."""

"""Text that may be mistaken for a special token."""

import re

_BAR = "[|\\uff5c]"
LIKE_SPECIAL_TOKENS = re.compile(
    rf"<{_BAR}[^<>\n]{{1,60}}>|<[^<>\n]{{1,60}}{_BAR}>|\[{_BAR}[^\[\]\n]{{1,60}}\]|\[[^\[\]\n]{{1,60}}{_BAR}\]"
    r"|</?s>|<(?:bos|eos|pad|unk|cls|sep|mask|sop|eop)>|</?think(?:ing)?>|<\w+_\w+>|<unused\d+>|<(?:filename|reponame)>"
    r"|\[/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_RESULTS|TOOL_CALLS|THINK|gMASK|BOS|EOS|UNK|PAD|CLS|SEP|MASK)\]"
    r"|<</?SYS>>|\]~\w+\]|\[e~\["
)
"""Matches text that looks like a special token of some family of models."""

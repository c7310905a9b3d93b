"""Runs once more: where a run came from, what it asked, whether it holds, and a rerun."""

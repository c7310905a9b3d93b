"""Work on stored runs: where a run came from, what it asked, whether its answers hold, and how to rerun it."""

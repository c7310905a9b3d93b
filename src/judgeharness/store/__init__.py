"""The store: one SQLite file with answers by content, runs, predictions, metrics and records."""

"""The store: one SQLite file with option scores by content, runs, predictions, metrics and the record of each."""

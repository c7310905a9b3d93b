"""From a request to stored runs: resolving, planning, asking, predicting, the record."""

"""From a request to stored runs: resolve names, plan, ask models, predict, record."""

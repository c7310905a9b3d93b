"""Servers that speak OpenAI's protocol and return log-probabilities."""

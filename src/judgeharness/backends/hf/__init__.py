"""Causal language models through Hugging Face transformers."""

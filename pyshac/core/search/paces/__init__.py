"""Paces: which batches are open at once, and what the samples of each are drawn from."""

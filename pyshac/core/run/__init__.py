"""A run: a search and its save directory."""

"""Plots of a search; they need Matplotlib."""

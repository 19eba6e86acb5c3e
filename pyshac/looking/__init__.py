"""Snapshots of a search, for plots, reports and the command line."""

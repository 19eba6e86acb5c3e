"""Snapshots of a search, from which plots, reports and the command line are made."""

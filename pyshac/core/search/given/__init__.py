"""Samples that the user gives to a search."""

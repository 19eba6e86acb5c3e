"""Pruning: rules that end evaluations whose curves are hopeless next to earlier ones."""

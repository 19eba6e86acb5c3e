"""Terminals that several processes write to."""

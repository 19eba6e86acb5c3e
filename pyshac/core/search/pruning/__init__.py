"""Pruning: with which curves evaluations go on, told from those of evaluations that have ended."""

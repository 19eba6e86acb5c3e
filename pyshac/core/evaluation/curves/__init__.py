"""Curves: the scores that evaluations report while they run, and pruning by them."""

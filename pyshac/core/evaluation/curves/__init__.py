"""Curves: what evaluations report on their way, and which of them are given up."""

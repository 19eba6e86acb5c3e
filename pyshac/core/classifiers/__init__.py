"""Classifiers that recognise the better half, their training, and the cascade."""

"""Draws from the prior that the cascade accepts."""

"""Tests with the real Optuna."""

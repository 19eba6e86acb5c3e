"""The parts of the Optuna integration."""

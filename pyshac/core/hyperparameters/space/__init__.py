"""The search space: its list of parameters, its rows and its columns."""

"""The result of an evaluation: its score, the extras besides it, and its details."""

"""What an evaluation comes back with: its score, the extras beside it, and how it went."""

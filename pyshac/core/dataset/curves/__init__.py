"""The curves of a dataset's samples, and what they tell of those that were pruned."""

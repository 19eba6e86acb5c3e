"""The loop of `fit`: it draws batches, evaluates them in slots, and learns from them."""

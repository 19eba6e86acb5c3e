"""The loop of `fit`: batches are drawn, evaluated in slots, and learned from."""

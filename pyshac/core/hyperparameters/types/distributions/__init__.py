"""Numbers with distributions of `scipy.stats`."""

"""A search as it stands: what plots, reports and the command line are made of."""

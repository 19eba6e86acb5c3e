"""What is not needed to run a search."""

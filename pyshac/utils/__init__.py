"""Import paths of earlier releases; aliases only."""

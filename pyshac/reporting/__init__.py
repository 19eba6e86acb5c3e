"""A search as one HTML file, and as text."""

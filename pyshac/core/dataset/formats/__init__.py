"""The forms in which samples and search spaces are written, and read as untrusted input."""

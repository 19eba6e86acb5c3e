"""The parts of the library; CONTRIBUTING.md shows which folder may import which."""

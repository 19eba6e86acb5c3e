"""The parts of PySHAC 0.1 to 0.3's search spaces that have a successor, or are for users' types."""

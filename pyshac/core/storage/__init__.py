"""The save directory."""

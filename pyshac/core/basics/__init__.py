"""What every folder may use."""

"""What the callbacks for trackers share: which evaluations are missing there, and their values."""

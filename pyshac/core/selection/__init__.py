"""Which of the accepted draws are evaluated."""

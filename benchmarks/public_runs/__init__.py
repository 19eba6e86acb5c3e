"""The searches of `public`: how they are run, kept, compared and reported."""

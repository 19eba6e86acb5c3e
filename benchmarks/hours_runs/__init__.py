"""The searches of `hours`: their clock, their problems, and how they are kept and reported."""

"""Other projects' interfaces to this search: a module for each, which loads the other project."""

"""The prior of a search space with constraints: covers of the relations, and draws."""

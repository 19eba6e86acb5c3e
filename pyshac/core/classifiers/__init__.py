"""Who tells the better half: classifiers, their training, and the cascade of them."""

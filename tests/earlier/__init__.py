"""What holds this library to PySHAC 0.1 to 0.3: their tests, examples and public interface.

Nothing of theirs is kept here: a checkout and a wheel of the original are read where they lie.
"""

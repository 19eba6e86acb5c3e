"""The built-in types: a file each, registered by a decorator."""

"""The parts of the library, in the order of the flow that `pyshac.core.engine` drives."""

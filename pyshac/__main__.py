"""`python -m pyshac`."""

import sys

from pyshac.cli import main

if __name__ == "__main__":
    sys.exit(main())

"""`python -m ecom_lite.faults` is `python -m ecom_lite.harness`."""

import sys

from ..harness.__main__ import main

if __name__ == "__main__":
    sys.exit(main())

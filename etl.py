"""Load what is new or changed: the mission's `python3 etl.py`, the same as `sparkify etl`."""

import sys

from sparkify.cli import main

if __name__ == "__main__":
    main(["etl", *sys.argv[1:]])

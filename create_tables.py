"""Reset every table of the warehouse: the mission's `python3 create_tables.py`.

The same as `sparkify create-tables --drop`.

Where rows would be lost it asks; without a terminal it needs --yes.
"""

import sys

from sparkify.cli import main

if __name__ == "__main__":
    main(["create-tables", "--drop", *sys.argv[1:]])

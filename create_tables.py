"""Reset every table of the warehouse: the mission's `python3 create_tables.py`.

The same as `sparkify create-tables --drop`.

Where rows would be lost it asks; without a terminal it needs --yes.
"""

from _start import run

if __name__ == "__main__":
    run("create-tables", "--drop")

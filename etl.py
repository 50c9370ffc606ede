"""Load what is new or changed: the mission's `python3 etl.py`, the same as `sparkify etl`."""

from _start import run

if __name__ == "__main__":
    run("etl")

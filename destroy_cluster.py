"""The mission's script: `sparkify cluster destroy`, with its options."""

from _start import run

if __name__ == "__main__":
    run("cluster", "destroy")

"""The mission's script: `sparkify cluster create`, with its options."""

from _start import run

if __name__ == "__main__":
    run("cluster", "create")

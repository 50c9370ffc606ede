"""The mission's script: `sparkify cluster open-port`, with its options."""

from _start import run

if __name__ == "__main__":
    run("cluster", "open-port")

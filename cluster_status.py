"""The mission's script: `sparkify cluster status`, with its options."""

from _start import run

if __name__ == "__main__":
    run("cluster", "status")

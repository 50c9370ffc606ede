"""The mission's script: `sparkify cluster create`, with its options."""

import sys

from sparkify.cli import main

if __name__ == "__main__":
    main(["cluster", "create", *sys.argv[1:]])

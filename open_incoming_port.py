"""The mission's script: `sparkify cluster open-port`, with its options."""

import sys

from sparkify.cli import main

if __name__ == "__main__":
    main(["cluster", "open-port", *sys.argv[1:]])

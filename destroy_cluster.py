"""The mission's script: `sparkify cluster destroy`, with its options."""

import sys

from sparkify.cli import main

if __name__ == "__main__":
    main(["cluster", "destroy", *sys.argv[1:]])

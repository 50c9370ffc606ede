"""The mission's script: `sparkify cluster status`, with its options."""

import sys

from sparkify.cli import main

if __name__ == "__main__":
    main(["cluster", "status", *sys.argv[1:]])

"""The command line: parse, call, print, exit. The only layer that prints."""

from sparkify.cli.app import main

__all__ = ["main"]

"""What the mission's scripts share: run a `sparkify` command, or say how to get it."""

import shlex
import sys
from pathlib import Path


def run(*command: str) -> None:
    """Run a command of `sparkify` with the script's own options, and exit with its code."""
    try:
        from sparkify.cli import main
    except ModuleNotFoundError as exc:  # outside the virtual environment; any Python 3 gets this far
        sys.exit(f"Error: this Python ({sys.executable}) has no module {exc.name}.\nTry: {_instead()}")
    main([*command, *sys.argv[1:]])


def _instead() -> str:
    here = Path(__file__).resolve().parent
    root = Path() if here == Path.cwd() else here
    python = root / ".venv" / "bin" / "python"
    words: list[object] = [python, *sys.argv]
    if not python.exists():
        words = ["make", *([] if root == Path() else ["-C", root]), "install", "&&", *words]
    return " ".join(word if word == "&&" else shlex.quote(str(word)) for word in words)

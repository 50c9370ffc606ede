"""A reader that closes the pipe changes nothing: a cluster is made, opened and destroyed all the same."""

from __future__ import annotations

import re
import urllib.request
from pathlib import Path

import pytest

from sparkify.cli.app import run
from tests.cli.pipes import BOTH, STDOUT, leaves, run_unread
from tests.cluster.conftest import everything

CLUSTER = [path for path in leaves() if path[0] == "cluster"]
CREATE = ("cluster", "create", "--yes")
OPEN = ("cluster", "open-port", "--cidr", "203.0.113.7/32")
# What precedes it, the command, and what it exits with.
CASES: dict[str, list[tuple[list[tuple[str, ...]], tuple[str, ...], int]]] = {
    "create": [([], CREATE, 0), ([], ("cluster", "create"), 2)],
    "status": [([CREATE], ("cluster", "status"), 0), ([], ("cluster", "status"), 6)],
    "open-port": [([CREATE], OPEN, 0)],
    "close-port": [([CREATE, OPEN], ("cluster", "close-port"), 0)],
    "pause": [([CREATE], ("cluster", "pause"), 0)],
    "resume": [([CREATE, ("cluster", "pause")], ("cluster", "resume"), 0)],
    "destroy": [
        ([CREATE], ("cluster", "destroy", "--yes", "--skip-final-snapshot"), 0),
        ([CREATE], ("cluster", "destroy"), 2),
    ],
    "policy": [([], ("cluster", "policy", "copy"), 0)],
}


@pytest.mark.parametrize("path", CLUSTER, ids=" ".join)
def test_without_readers_a_command_works_and_exits_as_with_them(
    path: tuple[str, ...], config: Path, moto: str
) -> None:
    text = config.read_text()
    for number, (before, arguments, code) in enumerate(CASES[path[1]]):
        assert arguments[:2] == path
        wanted = None
        for gone in ((), STDOUT, BOTH) if number == 0 else ((), STDOUT):
            reset = urllib.request.Request(f"{moto}/moto-api/reset", method="POST")
            urllib.request.urlopen(reset, timeout=60).close()
            config.write_text(text)
            for words in before:
                assert run(words) == 0
            found = run_unread(arguments, config.parent, gone) if gone else run(arguments)
            assert found == code, (arguments, gone)
            state = (everything(moto), re.sub(r"dwhcluster\.\w+\.", "dwhcluster.chance.", config.read_text()))
            wanted = wanted or state
            assert state == wanted, (arguments, gone)

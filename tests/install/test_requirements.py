"""What is locked: the same versions everywhere, by hash, from no index in particular, declared floors."""

from __future__ import annotations

import re
import tomllib

import pytest

from tests.conftest import ROOT

LOCKS = ("run.txt", "dev.txt", "lowest.txt")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def locked(name: str) -> set[str]:
    """Return the versions in a lock, as "name==version"."""
    text = (ROOT / "requirements" / name).read_text(encoding="utf-8")
    return set(re.findall(r"^\w[^ ]*==[^ ]+", text, re.MULTILINE))


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_names_hashes_and_no_index(name: str):
    text = (ROOT / "requirements" / name).read_text(encoding="utf-8")
    assert "://" not in text
    assert "--index" not in text
    assert "--find-links" not in text
    entries = re.split(r"\n(?=\w)", text)[1:]
    assert [entry for entry in entries if "--hash=sha256:" not in entry] == []
    assert len(entries) == len(locked(name))


def test_the_demo_and_the_tests_run_on_the_same_versions():
    assert locked("run.txt") - locked("dev.txt") == set()


def test_the_lowest_versions_tried_are_those_declared():
    declared = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["aws"]]
    tried = dict(each.split("==") for each in locked("lowest.txt"))
    for requirement in declared:
        name, floor = requirement.split(">=")
        found = [int(part) for part in tried[name].split(".")]
        wanted = [int(part) for part in floor.partition(",")[0].split(".")]
        assert found == wanted + [0] * (len(found) - len(wanted)), name

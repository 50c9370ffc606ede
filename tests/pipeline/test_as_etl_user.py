"""The pipeline keeps its promises on Redshift for a user who owns nothing, with the rights the page lists."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.warehouses import MARKS, USER, OnRedshift, Warehouses, granted, rows


@pytest.mark.thorough
@pytest.mark.skipif(USER == "etl", reason="the tests run as that user already")
def test_the_fast_tests_of_this_folder_pass_as_that_user(tmp_path: Path):
    """All of them do: SPARKIFY_TEST_USER=etl python -m pytest tests/pipeline."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    command = [sys.executable, "-m", "pytest", "-q", "-m", "not thorough", f"--basetemp={tmp_path / 'base'}"]
    command += ["-p", "no:cacheprovider", str(Path(__file__).parent)]
    done = subprocess.run(
        command,
        env=environment | {"SPARKIFY_TEST_USER": "etl", "HYPOTHESIS_PROFILE": "fast"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-10_000:]


def test_that_user_owns_nothing_and_may_make_no_table(warehouses: Warehouses, tmp_path: Path):
    """Else it would prove nothing that they pass."""
    place = warehouses.new("redshift", tmp_path, user="etl")
    assert isinstance(place, OnRedshift)
    user = place.settings().cluster.db_user
    owned = f"SELECT relname FROM pg_class WHERE relowner = '{user}'::regrole"
    assert rows(place, owned) == []
    for of in (
        "schema_privilege('{}', 'public',",
        "schema_privilege('{}', 'etl',",
        "database_privilege('{}', '{}',",
    ):
        assert rows(place, f"SELECT has_{of.format(user, place.name)} 'create')") == [(False,)]
    assert all(granted("w", mark)[len(granted("w")) :] for mark in MARKS if mark != "as_owner")

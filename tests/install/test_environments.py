"""The wheel in an empty environment, without the checkout: on every Python, and with the lowest versions."""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT, S3Server
from tests.install.conftest import VERSIONS, Install, add_packages, call, find_python
from tests.tiers import PROFILE
from tests.warehouses import OnRedshift, Warehouses

pytestmark = pytest.mark.thorough

RUNNING = "{}.{}".format(*sys.version_info)


def sparkify(programs: Path, *words: str, **variables: str) -> Any:
    """Run the installed command in an empty folder; return its answer."""
    empty = programs.parent / "elsewhere"
    empty.mkdir(exist_ok=True)
    return json.loads(call(programs / "sparkify", *words, "--json", cwd=empty, **variables).stdout)


# What a load does, from reading to taking out, on both engines.
PROMISES = [
    f"tests/pipeline/test_{name}.py"
    for name in ("contents", "corpus", "dirty", "engines", "real_data", "set_aside", "takeout", "transaction")
]
# What developers have and these tests do not use: half of what there is to install.
UNUSED = re.compile(
    r"(botocore-stubs|cfn-lint|moto|mypy|networkx|pandas|polars|polars-runtime-32|py-partiql-parser|pyarrow|ruff|sqlfluff|sympy|types-.*)=="
)


def lock_of_tests(folder: Path) -> Path:
    """Write the developers' lock without what is not used; return the file."""
    lock = (ROOT / "requirements" / "dev.txt").read_text(encoding="utf-8")
    used = [each for each in re.split(r"^(?=[a-z])", lock, flags=re.MULTILINE) if not UNUSED.match(each)]
    path = folder / "tests.txt"
    path.write_text("".join(used), encoding="utf-8")
    return path


@pytest.mark.parametrize("version", VERSIONS)
def test_the_demo_runs_and_the_pipeline_keeps_its_promises_on_every_python_we_name(
    version: str, install: Install, tmp_path: Path
):
    """The promises are kept on this Python by the tests that run on it, and on one other in CI."""
    if version == RUNNING and PROFILE != "release":
        pytest.skip("this Python runs the demo in test_makefile.py, and the wheel with the lowest versions")
    programs = install(find_python(version), "run.txt")
    told = sparkify(programs, "demo", str(tmp_path / "demo"))
    assert told["etl"]["tables"]["songplays"] > 1000
    if version == RUNNING or (version != VERSIONS[-1] and PROFILE != "release"):
        return
    add_packages(programs, lock_of_tests(tmp_path))
    tests = (programs / "python", "-m", "pytest", "-q", "-m", "not thorough", "-p", "no:cacheprovider")
    call(*tests, f"--basetemp={tmp_path / 'tests'}", *PROMISES, cwd=ROOT)


def test_the_lowest_versions_we_name_load_from_s3_into_both_warehouses(
    install: Install, warehouses: Warehouses, s3: S3Server, tmp_path: Path
):
    """They are tried on the lowest Python, from which each of them can be installed."""
    programs = install(find_python(VERSIONS[0]), "lowest.txt")
    lake = tmp_path / "demo" / "lake"
    told = sparkify(programs, "demo", str(lake.parent))
    shutil.copytree(lake, s3.root / "lowest")
    sources = ("--log-data", "s3://lowest/log_data", "--song-data", "s3://lowest/song_data")
    access = {
        "SPARKIFY_AWS_KEY": s3.key,
        "SPARKIFY_AWS_SECRET": s3.secret,
        "SPARKIFY_AWS_ENDPOINT_URL": s3.endpoint,
    }
    loaded = sparkify(programs, "etl", "--database", str(tmp_path / "w.duckdb"), *sources, **access)
    assert loaded["tables"] == told["etl"]["tables"]
    place = warehouses.new("redshift", tmp_path)
    assert isinstance(place, OnRedshift)
    trust = {"SSL_CERT_FILE": str(warehouses.server.certificate)}
    loaded = sparkify(programs, "etl", "--config", str(place.config), *sources, **trust)
    assert loaded["tables"] == told["etl"]["tables"]

"""`sparkify prove` on the stand-in: its answers are committed, another cluster is told from it."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, get_args

import pytest

from sparkify.cli.app import run
from sparkify.pipeline.etl_run import Summary, run_etl
from sparkify.proof import month, prove
from sparkify.warehouse.engine import Engine
from sparkify.warehouse.statements import Statement
from tests.conftest import S3Server
from tests.tiers import PROFILE
from tests.warehouses import STAGING, OnRedshift, Warehouses
from tools.redshift_double import Fault
from tools.redshift_double.fixtures import ROLE
from tools.redshift_double.options import Infidelity

ANSWERS = Path(__file__).parents[1] / "fixtures" / "proofs" / "stand_in.json"
# In what a cluster may be another, and the probe that tells.
TOLD_BY: dict[Infidelity, str] = {
    "booleans_as_digits": "copy_true",
    "decimals_shortened": "copy_decimal",
    "exponents_expanded": "copy_exponent",
    "nested_reprinted": "copy_nested",
    "surrogates_apart": "copy_surrogates",
    "empty_is_null": "copy_empty",
    "trailing_blanks_significant": "blanks_equal",
    "regex_end_before_newline": "regex_end",
    "milliseconds_lost": "dateadd_bigint",
    "weeks_not_iso": "extract_week",
    "snapshot_before_lock": "lock_before_snapshot",
    "lost_commit": "commit_keeps",
}
# All at once, and each alone: one could be told by what another has done.
CLUSTERS: list[frozenset[Infidelity]] = [frozenset(TOLD_BY), *(frozenset({each}) for each in TOLD_BY)]


@pytest.fixture
def place(warehouses: Warehouses, tmp_path: Path) -> Iterator[OnRedshift]:
    found = warehouses.new("redshift", tmp_path)
    assert isinstance(found, OnRedshift)
    server, options = found.server, found.server.options
    try:
        yield found
    finally:
        server.faults.clear()
        server.options = options
        warehouses.release(found)


def proof(place: OnRedshift, code: int, *options: str) -> dict[str, Any]:
    path = place.config.with_name("proof.json")
    assert run(["prove", "--yes", "--config", str(place.config), "-o", str(path), *options]) == code
    found = json.loads(path.read_text(encoding="utf-8"))
    assert found["ok"] is (code == 0)
    assert isinstance(found, dict)
    return found


def is_clean(place: OnRedshift, s3: S3Server) -> bool:
    """Tell whether neither a database nor an object is left."""
    databases = place.rows("SELECT 1 FROM pg_database WHERE datname = 'sparkify_proof'")
    below = s3.root / STAGING / place.name
    return not databases and not [path for path in below.rglob("*") if path.is_file()]


def test_the_stand_in_answers_what_is_committed(place: OnRedshift, s3: S3Server):
    """So whoever has a real cluster can compare its file with this one."""
    answers = proof(place, 0, "--events", "0")["probes"]
    if os.environ.get("UPDATE_GOLDEN"):
        ANSWERS.parent.mkdir(exist_ok=True)
        told = {"redshift": "the stand-in, tools/redshift_double", "probes": answers}
        ANSWERS.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    assert answers == json.loads(ANSWERS.read_text(encoding="utf-8"))["probes"]
    assert len(answers) >= 20
    assert is_clean(place, s3)


@pytest.mark.parametrize("infidelities", CLUSTERS, ids=lambda each: "+".join(sorted(each))[:30])
def test_a_cluster_that_is_another_is_told_by_the_right_probe(
    place: OnRedshift, s3: S3Server, infidelities: frozenset[Infidelity]
):
    assert set(TOLD_BY) == set(get_args(Infidelity))
    place.server.configure(infidelities=infidelities)
    answers = proof(place, 3, "--events", "0")["probes"]
    named = {each["name"] for each in answers if not each["ok"]}
    assert named >= {TOLD_BY[each] for each in infidelities}
    if len(infidelities) == 1 and infidelities <= {
        "decimals_shortened",
        "empty_is_null",
        "milliseconds_lost",
    }:
        assert len(named) == 1
    assert is_clean(place, s3)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A month of four days."""
    for name, value in (("_DAYS", 4), ("_SONGS", 20), ("_FIRST", 2)):
        monkeypatch.setattr(month, name, value)


@pytest.mark.usefixtures("small")
def test_a_month_comes_to_the_same_as_on_duckdb(
    place: OnRedshift, s3: S3Server, capsys: pytest.CaptureFixture[str]
):
    before = len(place.server.statements)
    found = proof(place, 0, "--events", "400")
    assert (found["refused"], found["failure"]) == ([], None)
    assert found["planned"] > 150
    assert [each["equal"] for each in found["month"]] == [True] * 5
    first, rest, again, undone, refreshed = (each["rows"] for each in found["month"])
    assert first["staging_events"] < rest["staging_events"] > undone["staging_events"]
    assert rest == again == refreshed
    assert rest["etl.rejects"] > 0
    assert is_clean(place, s3)
    sent = [each for each in list(place.server.statements)[before:] if each.status == "ok"]
    assert found["statements"] <= len(sent) + 10
    assert "Nothing is left behind." in capsys.readouterr().out


@pytest.mark.thorough
@pytest.mark.skipif(PROFILE != "release", reason="before a release: HYPOTHESIS_PROFILE=release")
def test_so_does_the_month_that_is_proven_by_default(place: OnRedshift, s3: S3Server):
    """Its 20,000 events are enough for a plan that compares each with each to take hours."""
    found = proof(place, 0)
    assert [each["equal"] for each in found["month"]] == [True] * 5
    assert found["month"][1]["rows"]["staging_events"] > 15_000
    assert is_clean(place, s3)


@pytest.mark.usefixtures("small")
def test_a_table_that_is_another_is_told(place: OnRedshift, monkeypatch: pytest.MonkeyPatch):
    real, spoil = run_etl, Statement("UPDATE users SET first_name = 'another'", "spoil.sql", 1)

    def lossy(engine: Engine, *arguments: Any) -> Summary:
        found = real(engine, *arguments)
        if engine.name == "redshift":
            with engine.writing():
                engine.execute(spoil)
        return found

    def first_step(*arguments: Any) -> Iterator[month.MonthStep]:
        return islice(month.live_a_month(*arguments), 1)

    monkeypatch.setattr(month, "run_etl", lossy)
    monkeypatch.setattr(prove, "live_a_month", first_step)
    monkeypatch.setattr(prove, "explain_statements", lambda *_: month.Explained(0, []))
    (step,) = proof(place, 3, "--events", "100")["month"]
    (users,) = step["differences"]
    assert (users["table"], users["columns"]) == ("users", {"first_name": users["rows_a"]})


@pytest.mark.parametrize("how", ["interrupted", "lost", "refused"])
def test_nothing_is_left_after_a_failure(
    place: OnRedshift,
    s3: S3Server,
    how: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    words = ["prove", "--yes", "--events", "0", "--config", str(place.config)]
    if how == "interrupted":

        def interrupt(*_arguments: Any) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(prove, "_live", interrupt)
        words[3] = "100"
        assert run(words) == 130
        assert "what was made for it is removed" in capsys.readouterr().err
    elif how == "lost":
        place.server.faults.arm(Fault("drop_after", match="CREATE DATABASE"))
        assert run(words) == 1
    else:
        place.server.faults.arm(Fault("refuse", match="CREATE DATABASE", message="permission denied"))
        assert run(words) == 1
        assert "CREATEDB" in capsys.readouterr().err
    assert is_clean(place, s3)


def test_what_a_cluster_says_of_hosts_users_and_buckets_is_not_in_the_file(place: OnRedshift):
    said = f"no access for {ROLE} as awsuser to s3://staging/{place.name}/sparkify-proof at localhost"
    place.server.faults.arm(Fault("refuse", match="COPY proof_values", message=said))
    text = json.dumps(proof(place, 3, "--events", "0"), ensure_ascii=False)
    assert "no access for … as … to" in text
    for name in (ROLE, "awsuser", f"staging/{place.name}", "localhost", place.server.options.password):
        assert name not in text


def test_without_a_place_to_write_or_a_cluster_or_with_another_proof_nothing_begins(
    place: OnRedshift, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.chdir(tmp_path)
    words = ["prove", "--yes", "--events", "0", "--config", str(place.config)]
    place.execute("CREATE DATABASE sparkify_proof")
    try:
        assert run(words) == 2
        assert "DROP DATABASE sparkify_proof" in capsys.readouterr().err
        assert place.rows("SELECT 1 FROM pg_database WHERE datname = 'sparkify_proof'")
    finally:
        place.execute("DROP DATABASE sparkify_proof")
    place.config.write_text(re.sub("STAGING = .*", "STAGING =", place.config.read_text()))
    assert run(words) == 2
    assert "[S3] STAGING is empty" in capsys.readouterr().err
    assert run(["prove", "--yes"]) == 2
    assert "the engine is duckdb" in capsys.readouterr().err

"""`sparkify prove` on the stand-in: its answers are committed, another cluster is told from it."""

from __future__ import annotations

import gc
import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from itertools import islice
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparkify.cli.app import run
from sparkify.pipeline.etl_run import Summary, run_etl
from sparkify.proof import month, prove, scratch
from sparkify.proof.hiding import hide_names
from sparkify.settings import load_settings
from sparkify.warehouse.engine import Engine
from sparkify.warehouse.redshift.session import RedshiftSession
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
    assert found["complete"] is (bool(found["month"]) and not found["failure"])
    assert isinstance(found, dict)
    return found


def databases(place: OnRedshift) -> set[str]:
    """Return the names of the databases of proofs."""
    return {name for (name,) in place.rows("SELECT datname FROM pg_database WHERE datname LIKE '%proof%'")}


def is_clean(place: OnRedshift, s3: S3Server) -> bool:
    """Tell whether neither a database nor an object is left."""
    below = s3.root / STAGING / place.name
    return not databases(place) and not [path for path in below.rglob("*") if path.is_file()]


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
    for name, value in (("_DAYS", 4), ("_SONGS", 20), ("_FIRST", 3)):
        monkeypatch.setattr(month, name, value)


@pytest.mark.usefixtures("small")
def test_a_month_comes_to_the_same_as_on_duckdb(
    place: OnRedshift, s3: S3Server, capsys: pytest.CaptureFixture[str]
):
    before = len(place.server.statements)
    found = proof(place, 0, "--events", "400")
    assert (found["refused"], found["failure"]) == ([], None)
    assert found["planned"] > 150
    assert [(each["step"], each["equal"]) for each in found["month"] if not each["equal"]] == []
    first, adopted, rest, again, forgotten, kept, undone, refreshed, dropped = (
        each["rows"] for each in found["month"]
    )
    assert first == adopted
    assert rest == again
    events = [each["staging_events"] for each in (first, rest, forgotten, kept, undone)]
    assert events[0] < events[1] > events[2] > events[3] > events[4] > 0
    # What was erased does not come back with its files.
    assert refreshed == dropped
    assert {**refreshed, "etl.files": 0} == {**kept, "etl.files": 0}
    assert rest["etl.rejects"] > 0
    assert is_clean(place, s3)
    sent = [each for each in list(place.server.statements)[before:] if each.status == "ok"]
    assert found["statements"] <= len(sent) + 10
    for adopted_column in ("event_offline = m.found = 'true'", "device_type = CAST(m.found AS VARCHAR(16))"):
        assert any(f"SET {adopted_column}" in each.sql for each in sent)
    assert "Nothing is left behind." in capsys.readouterr().out


@pytest.mark.thorough
@pytest.mark.skipif(PROFILE != "release", reason="before a release: HYPOTHESIS_PROFILE=release")
def test_so_does_the_month_that_is_proven_by_default(place: OnRedshift, s3: S3Server):
    """Its 20,000 events are enough for a plan that compares each with each to take hours."""
    found = proof(place, 0)
    assert [each["equal"] for each in found["month"]] == [True] * 9
    assert found["month"][2]["rows"]["staging_events"] > 15_000
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


def test_another_proofs_database_and_objects_stay_and_are_named(
    place: OnRedshift, s3: S3Server, capsys: pytest.CaptureFixture[str]
):
    """As do the user's own objects below STAGING, whatever their names, and a database of another version."""
    below = s3.root / STAGING / place.name
    theirs = [below / name / "mine.txt" for name in ("sparkify-proof", "sparkify-proof-abcdefgh", "mine")]
    for path in theirs:
        path.parent.mkdir(parents=True)
        path.write_text("mine")
    others = {"sparkify_proof", "sparkify_proof_abcdefgh"}
    for name in others:
        place.execute(f"CREATE DATABASE {name}")
    try:
        proof(place, 0, "--events", "0")
        assert databases(place) == others
        assert {path for path in below.rglob("*") if path.is_file()} == set(theirs)
        told = " ".join(capsys.readouterr().err.split())
        assert "sparkify_proof, sparkify_proof_abcdefgh" in told
        assert "DROP DATABASE sparkify_proof" in told
    finally:
        for name in others:
            place.execute(f"DROP DATABASE {name}")


def test_a_lost_connection_drops_what_is_ours_and_nothing_else(place: OnRedshift, s3: S3Server):
    """Whether CREATE DATABASE was done, or not, or another proof's was."""
    words = ["prove", "--yes", "--events", "0", "--config", str(place.config)]
    for kind in ("drop_before", "drop_after"):
        place.execute("CREATE DATABASE sparkify_proof_abcdefgh")  # between look and CREATE, for all it knows
        place.server.faults.arm(Fault(kind, match="CREATE DATABASE"))
        assert run(words) == 1
        assert databases(place) == {"sparkify_proof_abcdefgh"}
        place.execute("DROP DATABASE sparkify_proof_abcdefgh")
    assert is_clean(place, s3)


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # the driver's, when a login is refused
def test_a_password_that_is_refused_at_the_end_is_not_tried_again(
    place: OnRedshift, s3: S3Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    """Redshift locks a user after five; what is left is named."""
    session, drop, logins = scratch._session, scratch._drop, 0

    def counted(*arguments: Any) -> AbstractContextManager[RedshiftSession]:
        nonlocal logins
        logins += 1
        return session(*arguments)

    def refused(*arguments: Any) -> None:
        monkeypatch.setitem(place.server.passwords, place.server.options.user, "Another1")
        drop(*arguments)

    monkeypatch.setattr(scratch, "_session", counted)
    monkeypatch.setattr(scratch, "_drop", refused)
    assert run(["prove", "--yes", "--events", "0", "--config", str(place.config)]) == 1
    assert logins == 2  # with the one that made the database
    (left,) = databases(place)
    told = " ".join(capsys.readouterr().err.split())
    assert f"the database {left} could not be removed" in told
    assert f"DROP DATABASE {left}" in told
    place.execute(f"DROP DATABASE {left}")
    assert is_clean(place, s3)
    gc.collect()


ACME = load_settings(
    None,
    {},
    {
        "CLUSTER.HOST": "Acme-DWH.abc123.eu-west-1.redshift.amazonaws.com",
        "CLUSTER.DB_NAME": "acmedb",
        "CLUSTER.DB_USER": "AcmeLoader",
        "CLUSTER.DB_PASSWORD": "Pass-w0rd1",
        "IAM_ROLE.ARN": "arn:aws:iam::210987654321:role/acme-copy,arn:aws:iam::210987654322:role/acme-lake",
        "S3.STAGING": "s3://acme-staging/teams/acme/",
    },
)
# Each is told in an error in this or another case; no part of it that names anybody is to be left.
NAMES = (
    *("acme-dwh.abc123.eu-west-1.redshift.amazonaws.com", "acme-dwh", "acmedb", "acmeloader", "Pass-w0rd1"),
    *("arn:aws:iam::210987654321:role/acme-copy", "arn:aws:iam::210987654322:role/acme-lake", "acme-copy"),
    ACME.iam_role.arn,
    *("arn:aws:sts::210987654321:assumed-role/etl-runner/alice", "assumed-role/etl-runner/alice"),
    *("arn:aws:redshift:eu-west-1:210987654321:dbuser:acme/alice", "dbuser:acme/alice", "210987654321"),
    *("IAM:alice", "IAMR:etl-runner", "s3://acme-staging/teams/acme/sparkify-proof-x/y.gz", "teams/acme"),
    *("acme-staging", "s3://others-bucket/alice.gz", "AKIAALICEALICE123456", "acme-lake.s3.amazonaws.com"),
    *("10.11.12.13", "ip-10-11-12-13.ec2.internal", "2001:db8::acce:1", "fe80::acce:1%eth0"),
    *("::ffff:10.11.12.13", "2001:db8:0:0:0:0:acce:1"),
)
NAMING = re.compile("acme|alice|etl-runner|pass-w0rd|2109876|11.12|db8|fe80|acce|others|teams", re.IGNORECASE)


@given(
    names=st.lists(st.sampled_from(NAMES), min_size=1, max_size=3),
    change=st.sampled_from([str, str.lower, str.upper]),
    around=st.sampled_from(
        [("", ""), (" ", " "), ('"', '"'), ("'", "'"), ("(", ")"), ("=", "."), ("[", "]:5439")]
    ),
    between=st.sampled_from([" ", ", ", " is not authorized to assume ", "\n"]),
)
def test_no_name_is_in_the_file(
    names: list[str], change: Callable[[str], str], around: tuple[str, str], between: str
):
    said = between.join(f"{around[0]}{change(name)}{around[1]}" for name in names)
    hidden = hide_names(ACME)(f"ERROR: {said} refused")
    assert not NAMING.search(hidden)
    assert hidden.startswith("ERROR: ")


def test_what_names_nobody_stays():
    said = (
        "cannot cast type boolean to character varying; at 2018-11-01 12:34:56.789 1541022934796 is not "
        "1541022934.796; relation \"etl.files\" does not exist in '1970-01-01'::TIMESTAMP, x::DATE; "
        'Redshift 1.0.50885; character 17: near ":"'
    )
    assert hide_names(ACME)(said) == said


def test_what_a_cluster_says_of_hosts_users_and_buckets_is_not_in_the_file(place: OnRedshift):
    said = f"no access for {ROLE} as awsuser to s3://staging/{place.name}/sparkify-proof at localhost"
    place.server.faults.arm(Fault("refuse", match="COPY proof_values", message=said))
    text = json.dumps(proof(place, 3, "--events", "0"), ensure_ascii=False)
    assert "no access for … as … to … at …" in text
    for name in (ROLE, "awsuser", f"staging/{place.name}", "localhost", place.server.options.password):
        assert name not in text


def test_without_a_place_to_write_or_a_cluster_nothing_begins(
    place: OnRedshift, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.chdir(tmp_path)
    words = ["prove", "--yes", "--events", "0", "--config", str(place.config)]
    place.config.write_text(re.sub("STAGING = .*", "STAGING =", place.config.read_text()))
    assert run(words) == 2
    assert "[S3] STAGING is empty" in capsys.readouterr().err
    assert run(["prove", "--yes"]) == 2
    assert "the engine is duckdb" in capsys.readouterr().err

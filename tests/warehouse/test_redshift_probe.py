"""What the engine on Redshift tries before a run: each failure is an error of ours, never the driver's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sparkify.cli.app import run
from sparkify.errors import EngineError
from sparkify.settings import Settings
from sparkify.warehouse.connect import open_engine
from tests.records import play, song, write_records
from tests.warehouses import OnRedshift, Warehouses, options_of
from tools.redshift_double import Fault


@pytest.fixture
def place(warehouses: Warehouses, tmp_path: Path) -> Iterator[OnRedshift]:
    with warehouses.temporary("redshift", tmp_path) as place:
        assert isinstance(place, OnRedshift)
        yield place
        place.server.faults.clear()


def outcome(settings: Settings) -> dict[str, str]:
    """Return what each step came to; those after a failure are not tried."""
    engine = open_engine(settings)
    found = {}
    try:
        for step in engine.probe():
            try:
                found[step.name] = step.attempt()
            except EngineError as exc:
                found[step.name] = f"error: {exc.message}" if exc.hint else "no next step"
                break
    finally:
        engine.close()
    return found


def missing(place: OnRedshift) -> list[str]:
    """Return what the user of a dwh.cfg may not do."""
    said = outcome(place.settings())["privileges"]
    return [] if said == "create, read and write" else said.removeprefix("error: ").split("; ")


def test_who_may_do_all_passes_every_step(place: OnRedshift):
    found = outcome(place.settings())
    assert list(found) == ["port", "login", "privileges"]
    assert not [said for said in found.values() if said.startswith("error")]


@pytest.mark.parametrize("pattern", ["(?i)has_schema_privilege", "BEGIN READ ONLY"])
def test_a_database_that_refuses_the_question_is_an_error_of_ours(place: OnRedshift, pattern: str):
    """42501 at a look into the catalog ended doctor with the driver's own exception."""
    refusal = Fault("refuse", match=pattern, code="42501", message="permission denied for relation pg_tables")
    place.server.faults.arm(refusal)
    said = outcome(place.settings())["privileges"]
    assert said.startswith("error: Redshift refused")
    assert "permission denied" in said
    place.server.faults.arm(refusal)
    assert run(["doctor", *options_of(place)]) == 1


def test_a_connection_lost_at_the_privileges_is_an_error_of_ours(place: OnRedshift):
    place.server.faults.arm(Fault("drop_before", match="(?i)has_schema_privilege"))
    assert "was lost" in outcome(place.settings())["privileges"]


def test_privileges_are_those_a_run_needs(place: OnRedshift, tmp_path: Path):
    """Without them they are named; with exactly them `etl` loads, and loads again what changed."""
    assert run(["create-tables", *options_of(place)]) == 0
    place.server.passwords["ann"] = "Passw0rd1"
    mine = OnRedshift(place.server, place.name, tmp_path / "ann.cfg")
    options = place.server.options
    text = place.config.read_text().replace(options.password, "Passw0rd1")
    mine.config.write_text(text.replace(f"DB_USER = {options.user}", "DB_USER = ann"))
    assert outcome(mine.settings())["login"].endswith("lets ann in")
    place.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")
    place.execute("GRANT USAGE ON SCHEMA public TO PUBLIC")
    said = missing(mine)
    assert said[:2] == ["CREATE on schema etl", "CREATE on schema public"]
    assert said[2] == "CREATE on the database (for the schemas etl and analytics)"
    assert {"USAGE on schema etl", "SELECT, INSERT and DELETE on public.users"} <= {*said}
    assert "analytics." not in str(said)

    place.execute("GRANT CREATE ON SCHEMA public TO ann")
    place.execute(f"GRANT CREATE ON DATABASE {place.name} TO ann")
    place.execute("GRANT USAGE, CREATE ON SCHEMA etl TO ann")
    place.execute("GRANT SELECT, INSERT, DELETE ON ALL TABLES IN SCHEMA public, etl TO ann")
    assert missing(mine) == [
        "SELECT, INSERT, UPDATE and DELETE on etl.days",
        "SELECT, INSERT, UPDATE and DELETE on etl.files",
        "SELECT, INSERT, UPDATE and DELETE on etl.meta",
        "SELECT, INSERT, UPDATE and DELETE on etl.played_titles",
        "SELECT, INSERT, UPDATE and DELETE on etl.rejects",
    ]
    updated = "etl.days, etl.files, etl.meta, etl.played_titles, etl.rejects"
    place.execute(f"GRANT UPDATE ON {updated} TO ann")
    assert missing(mine) == []
    write_records(tmp_path / "songs" / "a.json", song())
    for title in ("one", "two"):
        write_records(tmp_path / "logs" / "a.json", play(song=title))
        sources = ["--log-data", str(tmp_path / "logs"), "--song-data", str(tmp_path / "songs")]
        assert run(["etl", *sources, *options_of(mine)]) == 0

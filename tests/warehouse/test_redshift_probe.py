"""What the engine on Redshift tries before a run: each failure is an error of ours, never the driver's."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

import pytest

from sparkify.cli.app import run
from sparkify.errors import EngineError
from sparkify.settings import Settings
from sparkify.warehouse.connect import open_engine
from tests.records import TS, play, song, write_records
from tests.warehouses import ETL_USER, OnRedshift, Warehouses, granted, options_of
from tools.redshift_double import Fault

pytestmark = pytest.mark.as_owner("the tables are to be missing, and rights are granted and taken by hand")


@pytest.fixture
def place(warehouses: Warehouses, tmp_path: Path) -> Iterator[OnRedshift]:
    with warehouses.temporary("redshift", tmp_path) as place:
        assert isinstance(place, OnRedshift)
        yield place
        place.server.faults.clear()


def outcome(settings: Settings, schemas: Collection[str] = ()) -> dict[str, str]:
    """Return what each step came to; those after a failure are not tried."""
    engine = open_engine(settings)
    found = {}
    try:
        for step in engine.probe(schemas):
            try:
                found[step.name] = step.attempt()
            except EngineError as exc:
                found[step.name] = f"error: {exc.message}" if exc.hint else "no next step"
                break
    finally:
        engine.close()
    return found


def missing(place: OnRedshift, schemas: Collection[str] = ()) -> list[str]:
    """Return what the user of a dwh.cfg may not do, who has models in these schemas."""
    said = outcome(place.settings(), schemas)["privileges"]
    return [] if said.endswith("read and write") else said.removeprefix("error: ").split("; ")


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


def as_ann(place: OnRedshift, folder: Path) -> OnRedshift:
    """Return the place as a user sees it who owns nothing and was granted nothing."""
    place.server.passwords["ann"] = "Passw0rd1"
    mine = OnRedshift(place.server, place.name, folder / "ann.cfg", place.owner)
    options = place.server.options
    text = place.config.read_text().replace(options.password, "Passw0rd1")
    mine.config.write_text(text.replace(f"DB_USER = {options.user}", "DB_USER = ann"))
    assert outcome(mine.settings())["login"].endswith("lets ann in")
    place.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")
    place.execute("GRANT USAGE ON SCHEMA public TO PUBLIC")
    return mine


UPDATED = "etl.days, etl.files, etl.meta, etl.played_titles, etl.rejects"


@pytest.fixture
def anns(place: OnRedshift, tmp_path: Path) -> OnRedshift:
    """The place as a user sees it who owns nothing and was granted nothing; the tables are there."""
    assert run(["create-tables", *options_of(place)]) == 0
    return as_ann(place, tmp_path)


def test_who_loads_needs_no_right_to_create(place: OnRedshift, anns: OnRedshift, tmp_path: Path):
    """Without them its rights are named; with exactly those of the page `etl` loads, whatever comes."""
    said = missing(anns)
    assert {"USAGE on schema etl", "SELECT, INSERT and DELETE on public.users"} <= {*said}
    assert "analytics." not in str(said)
    assert "CREATE" not in str(said)

    *grants, updating = (grant.replace(ETL_USER, "ann") for grant in granted(place.name))
    for grant in grants:
        place.execute(grant)
    assert missing(anns) == [
        f"SELECT, INSERT, UPDATE and DELETE on {table}" for table in sorted(UPDATED.split(", "))
    ]
    place.execute(updating)
    assert missing(anns) == []
    write_records(tmp_path / "songs" / "a.json", song())
    sources = ["--log-data", str(tmp_path / "logs"), "--song-data", str(tmp_path / "songs")]
    for title, more in (("one", []), ("two", []), ("two", ["--full-refresh"])):
        write_records(tmp_path / "logs" / "a.json", play(song=title))
        assert run(["etl", *sources, *more, *options_of(anns)]) == 0, more
    # A song that arrives late, a record that is set aside, and what takes out again.
    write_records(tmp_path / "songs" / "b.json", song(song_id="SO2", title="two"))
    bad = write_records(tmp_path / "logs" / "b.json", play(ts=TS + 1))
    bad.write_text(bad.read_text() + "no JSON\n")
    assert run(["etl", *sources, "--max-rejects", "5", *options_of(anns)]) == 0
    assert run(["retract", str(bad), "--yes", *options_of(anns)]) == 0
    assert run(["check", *options_of(anns)]) == 0


def test_who_has_models_of_their_own_needs_the_right_to_create_until_they_are_there(
    place: OnRedshift, anns: OnRedshift, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Doctor asks for exactly what a run takes: schemas, and the list of models once."""

    def carry_out(*grants: str) -> None:
        for grant in grants:
            place.execute(grant.replace(ETL_USER, "ann"))

    folder = tmp_path / "models"
    monkeypatch.setenv("SPARKIFY_DWH_MODELS", str(folder))
    write_records(tmp_path / "logs" / "a.json", play())
    write_records(tmp_path / "songs" / "a.json", song())
    sources = ["--log-data", str(tmp_path / "logs"), "--song-data", str(tmp_path / "songs")]
    (folder / "marts").mkdir(parents=True)
    (folder / "marts" / "people.sql").write_text("SELECT u.user_id FROM users AS u\n")
    carry_out(*granted(place.name))
    asked = [
        "CREATE on the database (for the schema marts of your models)",
        "CREATE on schema etl (for your models)",
    ]
    assert missing(anns, ["marts"]) == asked
    assert run(["doctor", *sources, *options_of(anns)]) == 1
    assert run(["etl", *sources, *options_of(anns)]) == 1
    carry_out("CREATE SCHEMA marts")
    assert missing(anns, ["marts"]) == ["CREATE on schema marts (for your models)", asked[1]]
    carry_out("DROP SCHEMA marts")

    more = granted(place.name, "may_create")[len(granted(place.name)) :]
    carry_out(*more)
    assert missing(anns, ["marts"]) == []
    assert run(["etl", *sources, *options_of(anns)]) == 0
    carry_out(*(grant.replace("GRANT", "REVOKE").replace(" TO ", " FROM ") for grant in more))
    assert missing(anns, ["marts"]) == []
    write_records(tmp_path / "logs" / "b.json", play(ts=TS + 1, userId="9"))
    (folder / "marts" / "people.sql").write_text("SELECT u.user_id, u.level FROM users AS u\n")
    assert run(["etl", *sources, *options_of(anns)]) == 0
    assert len(place.rows("SELECT * FROM marts.people")) == 2


def test_who_makes_the_tables_needs_the_right(place: OnRedshift, anns: OnRedshift):
    """Doctor asks for it where a table is missing, and a run says whose it is."""
    place.execute("DROP TABLE songs")
    assert missing(anns)[:3] == [
        "CREATE on schema etl",
        "CREATE on schema public",
        "CREATE on the database (for the schemas etl and analytics)",
    ]


@pytest.mark.thorough
def test_who_may_create_is_no_superuser_and_does_all_there_is(place: OnRedshift, tmp_path: Path):
    """CREATE on the database and on public, and TEMP: then the tables are theirs, to change and to drop."""
    anns = as_ann(place, tmp_path)
    place.execute(f"REVOKE TEMP ON DATABASE {place.name} FROM PUBLIC")
    place.execute(f"GRANT CREATE, TEMP ON DATABASE {place.name} TO ann")
    place.execute("GRANT CREATE ON SCHEMA public TO ann")
    assert missing(anns) == []
    write_records(tmp_path / "songs" / "a.json", song())
    write_records(tmp_path / "logs" / "a.json", play() | {"device": "phone"})
    sources = ["--log-data", str(tmp_path / "logs"), "--song-data", str(tmp_path / "songs")]
    for command in (
        ["etl", *sources, "--full-refresh"],
        ["fields", "adopt", "device"],
        ["forget", play()["userId"], "--yes"],
        ["create-tables", "--drop", "--yes"],
        ["etl", *sources],
        ["report", "-o", str(tmp_path / "report.html")],
    ):
        assert run([*command, *options_of(anns)]) == 0, command


def test_the_right_to_temporary_tables_is_asked_for(place: OnRedshift, anns: OnRedshift):
    """PUBLIC has it until somebody takes it."""
    place.execute(f"REVOKE TEMP ON DATABASE {place.name} FROM PUBLIC")
    assert "TEMP on the database" in missing(anns)

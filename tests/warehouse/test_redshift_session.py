"""A session on Redshift: what it says when it is lost, and what it keeps."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from pathlib import Path

import pytest

from sparkify.cli.app import run
from sparkify.errors import TransientEngineError
from sparkify.pipeline import retry
from sparkify.warehouse.redshift.driver_transport import DriverTransport
from sparkify.warehouse.redshift.session import RedshiftSession
from tests.loading import etl
from tests.records import TS, play, song, write_records
from tests.warehouses import OnRedshift, Warehouses, options_of
from tools.redshift_double import Fault
from tools.redshift_double.faults import FaultKind


@pytest.fixture
def place(warehouses: Warehouses, tmp_path: Path) -> Iterator[OnRedshift]:
    with warehouses.temporary("redshift", tmp_path) as place:
        assert isinstance(place, OnRedshift)
        yield place
        place.server.faults.clear()


@pytest.fixture
def session(place: OnRedshift) -> Iterator[RedshiftSession]:
    cluster = place.settings().cluster
    transport = DriverTransport(
        cluster, lambda: (cluster.db_user, str(cluster.db_password)), answer_seconds=1.2
    )
    session = RedshiftSession(transport, statement_timeout=1)
    yield session
    session.close()


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("drop_before", "the server closed it"),
        ("drop_after", "the server closed it"),
        ("hang", "no answer came in time"),
    ],
)
def test_a_lost_connection_says_why_and_what_is_next(
    place: OnRedshift, session: RedshiftSession, kind: FaultKind, why: str
):
    session.send("SELECT 1", "the first look")
    place.server.faults.arm(Fault(kind, match="SELECT 2"))
    with pytest.raises(TransientEngineError) as caught:
        session.send("SELECT 2", "the second look")
    assert caught.value.message == f"the connection to localhost was lost at the second look: {why}."
    assert caught.value.hint == "Run again: nothing was changed. The log of the cluster says more."


def test_a_query_that_loses_the_connection_is_one_sentence(
    place: OnRedshift, capsys: pytest.CaptureFixture[str]
):
    assert run(["create-tables", *options_of(place)]) == 0
    place.server.faults.arm(Fault("drop_before", match="SELECT 4711"))
    capsys.readouterr()
    assert run(["query", "SELECT 4711", *options_of(place)]) == 1
    assert capsys.readouterr().err.splitlines() == [
        "Error: the connection to localhost was lost at the query: the server closed it.",
        "Try: Run again: nothing was changed. The log of the cluster says more.",
    ]


def test_each_statement_of_a_run_carries_its_number(
    place: OnRedshift, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """So the history of the cluster tells what a run sent, also over a connection that was made anew."""
    monkeypatch.setattr(retry, "PAUSES", (0.0,) * 4)
    logs, songs = tmp_path / "logs", tmp_path / "songs"
    write_records(songs / "a.json", song())
    uri = str(write_records(logs / "a.json", play()))
    assert etl(place, logs, songs) == 0
    write_records(logs / "b.json", play(ts=TS + 1))
    place.server.statements.clear()
    place.server.faults.arm(Fault("drop_before", match="INSERT INTO songplays"))
    assert etl(place, logs, songs) == 0
    assert run(["retract", uri, "--yes", *options_of(place)]) == 0

    labels: dict[int, str] = {}
    sent: list[tuple[str, str]] = []
    for entry in place.server.statements:
        last = entry.sql.rsplit("\n", 1)[-1]
        if last.startswith("SET query_group TO "):
            labels[entry.session] = last.removeprefix("SET query_group TO ")
        sent += [(labels.get(entry.session, ""), name) for name in WATCHED if f"{name} " in entry.sql]
    assert {label for label, _ in sent} == {"'sparkify run 2'", "'sparkify run 3'"}
    assert [label for label, name in sent if name == "INSERT INTO songplays"] == [
        *["'sparkify run 2'"] * 2,
        "'sparkify run 3'",
    ]


WATCHED = ("COPY run_event_copy", "INSERT INTO songplays", "INSERT INTO etl.runs")


class Text(str):
    """A text that can be watched."""

    __slots__ = ("__weakref__",)


def test_no_text_of_a_statement_is_kept(session: RedshiftSession):
    """The driver would keep each as long as the connection: megabytes of literals, for hours."""
    texts = [Text(f"SELECT {number} AS n") for number in range(5)]
    watched = [weakref.ref(text) for text in texts]
    while texts:
        session.send(texts.pop(0), "a look")
    session.send("SELECT 1", "the last look")
    assert [ref() for ref in watched] == [None] * 5

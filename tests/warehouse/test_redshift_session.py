"""A session on Redshift: what it says when it is lost, and what it keeps."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from pathlib import Path

import pytest

from sparkify.cli.app import run
from sparkify.errors import TransientEngineError
from sparkify.warehouse.redshift.session import RedshiftSession
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
    session = RedshiftSession(
        cluster, lambda: (cluster.db_user, str(cluster.db_password)), statement_timeout=1, grace=0.2
    )
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

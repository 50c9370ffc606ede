"""A value becomes SQL in one place: it comes back as it was, or is refused; none leaves its quotes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sparkify.settings import Secret
from sparkify.warehouse.redshift.driver_transport import DriverTransport
from sparkify.warehouse.redshift.literals import Word, fill, inserts, literal
from sparkify.warehouse.redshift.session import RedshiftSession
from tests.warehouses import OnRedshift, Warehouses

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")) | st.sampled_from(
    [
        "'",
        "\\",
        "\\'",
        "''",
        "'; DROP TABLE users; --",
        "\\\\'",
        ":name",
        "--",
        "/*",
        "$1",
        "%s",
        "\n",
        "é\u00a0",
    ]
)
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False, allow_subnormal=False),
    TEXTS,
    st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31)),  # noqa: DTZ001 - the warehouse's times have no zone
)


@pytest.fixture(scope="module")
def session(warehouses: Warehouses, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedshiftSession]:
    place = warehouses.new("redshift", tmp_path_factory.mktemp("literals"))
    assert isinstance(place, OnRedshift)
    cluster = place.settings().cluster
    transport = DriverTransport(cluster, lambda: (cluster.db_user, str(cluster.db_password)))
    session = RedshiftSession(transport)
    yield session
    session.close()


@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
@given(values=st.lists(VALUES, min_size=1, max_size=8))
def test_values_come_back_as_they_were(session: RedshiftSession, values: list[Any]):
    names = {f"v{chr(97 + number)}": value for number, value in enumerate(values)}
    texts = ", ".join(f":{name}" for name in names)
    _, ((*found,),) = session.send(fill(f"SELECT {texts} -- :not ':a' parameter", names), "a test")
    assert found == values
    assert [type(value) for value in found] == [type(value) for value in values]


@pytest.mark.parametrize(
    "value",
    [
        Secret("Passw0rd"),
        "nul\0",
        "\ud800",
        float("nan"),
        float("inf"),
        2**63,
        b"bytes",
        datetime(2020, 1, 1, tzinfo=UTC),
        ["a"],
        Word("two words"),
        Word("default; DROP"),
    ],
)
def test_what_has_no_literal_is_refused_without_being_shown(value: Any):
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - whatever it says, it must not say the value
        literal(value)
    assert "Passw0rd" not in str(caught.value)


def test_only_parameters_are_replaced():
    text = "SELECT :a, ':a', '\\':a', x::INT -- :a\nFROM t WHERE b = :b"
    assert (
        fill(text, {"a": 1, "b": "it's"}) == "SELECT 1, ':a', '\\':a', x::INT -- :a\nFROM t WHERE b = 'it''s'"
    )
    with pytest.raises(KeyError):
        fill("SELECT :c", {})


def test_rows_go_in_few_statements_far_below_the_limit():
    rows = [(number, "x" * 1000) for number in range(10_000)]
    sent = list(inserts("t", ["a", "b"], rows, 2_000_000))
    assert 4 <= len(sent) <= 6
    assert max(map(len, sent)) < 4_000_000
    assert sum(text.count("\n(") for text in sent) == len(rows)
    assert list(inserts("t", ["a"], [], 2_000_000)) == []


def test_no_text_leaves_its_quotes(tmp_path: Path):
    assert literal("a'b\\c") == "'a''b\\\\c'"

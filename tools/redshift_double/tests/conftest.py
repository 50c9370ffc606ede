"""Fixtures of the stand-in's own tests: a connection of the real driver, and a way to ask."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from redshift_connector.core import Connection
from redshift_connector.error import Error

from tests.conftest import real_data, s3
from tools.redshift_double.fixtures import DoubleCluster, redshift, redshift_server

__all__ = ["real_data", "redshift", "redshift_server", "s3"]

Ask = Callable[..., Any]


@pytest.fixture
def connection(redshift: DoubleCluster) -> Iterator[Connection]:
    with redshift.connect() as connection:
        yield connection


@pytest.fixture
def ask(connection: Connection) -> Ask:
    """Execute a statement; the rows as tuples, or None when there are none to come."""

    def ask(sql: str, *parameters: Any) -> Any:
        cursor = connection.cursor()
        cursor.execute(sql, parameters or None)
        return [tuple(row) for row in cursor.fetchall()] if cursor.description else None

    return ask


@pytest.fixture
def refused(connection: Connection) -> Callable[..., tuple[str, str]]:
    """Execute a statement that must fail; SQLSTATE and message. The transaction is rolled back."""

    def refused(sql: str, *parameters: Any) -> tuple[str, str]:
        with pytest.raises(Error) as caught:
            connection.cursor().execute(sql, parameters or None)
        connection.rollback()
        fields = caught.value.args[0]
        return fields["C"], fields["M"]

    return refused

"""Fixtures for tests against the stand-in: one server per session, emptied for each test.

`from tools.redshift_double.fixtures import redshift, redshift_server` in a conftest.py makes them known. The
S3 server is the project's own fixture `s3`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import redshift_connector
from redshift_connector.core import Connection

from .options import Options
from .server import RedshiftDouble
from .statements import StatementLog

if TYPE_CHECKING:
    from tests.conftest import S3Server

ROLE = "arn:aws:iam::123456789012:role/dwhRole"


@dataclass
class DoubleCluster:
    """A stand-in, seen from one test: its database was emptied."""

    server: RedshiftDouble

    def arguments(self, **changes: Any) -> dict[str, Any]:
        """What `redshift_connector.connect` needs, with changes."""
        return {**self.server.connection_arguments(), **changes}

    def connect(self, **changes: Any) -> Connection:
        """A connection of the real driver."""
        return redshift_connector.connect(**self.arguments(**changes))

    @property
    def statements(self) -> StatementLog:
        return self.server.statements


@pytest.fixture(scope="session")
def redshift_server(s3: S3Server) -> Iterator[RedshiftDouble]:
    """The stand-in, once per session, with the session's S3 server behind COPY."""
    options = Options(s3_endpoint=s3.endpoint, s3_key=s3.key, s3_secret=s3.secret)
    with RedshiftDouble(options) as server:
        yield server


@pytest.fixture
def redshift(redshift_server: RedshiftDouble) -> Iterator[DoubleCluster]:
    """An empty database; no faults armed, an empty log, the ordinary options."""
    server, options = redshift_server, redshift_server.options
    server.reset_database()
    server.faults.clear()
    server.statements.clear()
    try:
        yield DoubleCluster(server)
    finally:
        server.options = options
        server.faults.clear()

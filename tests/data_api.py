"""A warehouse of the stand-in that is reached over its Data API."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sparkify.cli.options import logins_of
from sparkify.settings.writing import write_values
from sparkify.warehouse.connect import open_session
from sparkify.warehouse.redshift.session import RedshiftSession
from tests.warehouses import OnRedshift, Warehouses
from tools.redshift_double.data_api import DataApi


@contextmanager
def data_api_of(warehouses: Warehouses, monkeypatch: pytest.MonkeyPatch) -> Iterator[DataApi]:
    """The Data API of the stand-in, where boto3 looks for it."""
    with DataApi(warehouses.server) as api:
        monkeypatch.setenv("AWS_ENDPOINT_URL_REDSHIFT_DATA", api.endpoint)
        yield api


@contextmanager
def over_data_api(warehouses: Warehouses, folder: Path) -> Iterator[OnRedshift]:
    """An empty warehouse whose dwh.cfg leads to the Data API: to no port, and with no password."""
    with warehouses.temporary("redshift", folder) as place:
        assert isinstance(place, OnRedshift)
        values = {"TRANSPORT": "data-api", "DB_PORT": "1", "DB_PASSWORD": ""}
        write_values(place.config, {("CLUSTER", key): value for key, value in values.items()})
        yield place
        place.server.faults.clear()


@contextmanager
def session_at(place: OnRedshift) -> Iterator[RedshiftSession]:
    """A session as the commands open it."""
    settings = place.settings()
    session = open_session(settings, logins_of(settings))
    try:
        yield session
    finally:
        session.close()

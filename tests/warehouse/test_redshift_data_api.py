"""Redshift over the Data API: the whole pipeline, as over the driver; and what only the Data API says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sparkify.settings.writing import write_values
from tests.contents import hash_tables
from tests.loading import etl
from tests.records import TS, play, song, write_records
from tests.warehouses import OnRedshift, Warehouses
from tools.redshift_double.data_api import DataApi


@pytest.fixture
def api(warehouses: Warehouses, monkeypatch: pytest.MonkeyPatch) -> Iterator[DataApi]:
    """The Data API of the stand-in, where boto3 looks for it."""
    with DataApi(warehouses.server) as api:
        monkeypatch.setenv("AWS_ENDPOINT_URL_REDSHIFT_DATA", api.endpoint)
        yield api


@pytest.fixture
def place(warehouses: Warehouses, tmp_path: Path) -> Iterator[OnRedshift]:
    with warehouses.temporary("redshift", tmp_path / "place") as place:
        assert isinstance(place, OnRedshift)
        # No port to connect to.
        write_values(place.config, {("CLUSTER", "TRANSPORT"): "data-api", ("CLUSTER", "DB_PORT"): "1"})
        yield place
        place.server.faults.clear()


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    lake = tmp_path / "lake"
    write_records(lake / "song_data" / "1.json", song(title='Ti"tle, ü'))
    write_records(lake / "log_data" / "1.json", play(song='Ti"tle, ü'), play(ts=TS + 5, length=None))
    bad = write_records(lake / "log_data" / "2.json", play(ts=TS + 9, userId="2"))
    bad.write_text(bad.read_text() + "no JSON\n")
    return lake


def load(place: OnRedshift, lake: Path, *options: str) -> int:
    return etl(place, lake / "log_data", lake / "song_data", "--max-rejects", "9", *options)


def test_a_load_is_the_same_as_over_the_driver(
    api: DataApi, place: OnRedshift, lake: Path, warehouses: Warehouses, tmp_path: Path
):
    with warehouses.temporary("redshift", tmp_path / "driver") as other:
        assert load(other, lake) == 0
        assert load(place, lake) == 0
        assert hash_tables(place, file_ids=True) == hash_tables(other, file_ids=True)

"""Records are counted before they land: whatever loses one on its way is noticed before the commit."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from sparkify.records import RecordKind
from sparkify.warehouse.duckdb.duckdb_engine import DuckDBEngine
from tests.loading import etl
from tests.records import TS, play, song, write_records


@pytest.fixture
def lossy(monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine that loses one record of what it lands, whichever way."""

    land = DuckDBEngine.land

    def lose(self: DuckDBEngine, kind: RecordKind, *arguments: Any, **options: Any) -> None:
        land(self, kind, *arguments, **options)
        self._run(f"DELETE FROM {kind.landing} WHERE rowid = (SELECT MAX(rowid) FROM {kind.landing})")

    monkeypatch.setattr(DuckDBEngine, "land", lose)


@pytest.mark.usefixtures("lossy")
@pytest.mark.parametrize("bad", [[], ["{bad"]], ids=["clean", "one bad line"])
def test_an_event_that_is_lost_while_it_lands_stops_the_run(bad: Sequence[str], tmp_path: Path):
    log = write_records(tmp_path / "log_data" / "a.json", *[play(ts=TS + n) for n in range(9)])
    log.write_text(log.read_text() + "".join(line + "\n" for line in bad))
    assert etl(tmp_path / "w.duckdb", tmp_path / "log_data", None, "--max-rejects", "100%") == 3


@pytest.mark.usefixtures("lossy")
@pytest.mark.parametrize("several", [False, True], ids=["packed", "read carefully"])
def test_a_song_that_is_lost_while_it_lands_stops_the_run(several: bool, tmp_path: Path):
    write_records(tmp_path / "song_data" / "a.json", song(), *([song(song_id="SO2")] if several else []))
    write_records(tmp_path / "song_data" / "b.json", song(song_id="SO3"))
    assert etl(tmp_path / "w.duckdb", None, tmp_path / "song_data") == 3

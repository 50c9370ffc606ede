"""The peer: dlt filling the staging tables alone, from JSON lines to DuckDB.

Run as ``python dlt_staging.py DATABASE LOG_FOLDER SONG_FOLDER``, with the Python of the peers.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

# As its page on performance says: files of a size that can be normalized side by side, a process a core.
os.environ |= {
    "RUNTIME__DLTHUB_TELEMETRY": "false",
    "EXTRACT__DATA_WRITER__FILE_MAX_ITEMS": "100000",
    "NORMALIZE__DATA_WRITER__DISABLE_COMPRESSION": "true",
    "NORMALIZE__WORKERS": str(os.cpu_count()),
}

import dlt
from dlt.sources.filesystem import FileItemDict, filesystem, read_jsonl


@dlt.transformer  # type: ignore[untyped-decorator]
def read_song(items: Iterator[FileItemDict]) -> Iterator[Any]:
    """Read files of one object, which are not JSON lines to everyone: all the files of a page at once."""
    yield [dlt.common.json.loadb(item.read_bytes()) for item in items]


def load(database: str, logs: str, songs: str) -> None:
    Path(database).unlink(missing_ok=True)
    with TemporaryDirectory() as folder:
        pipeline = dlt.pipeline(
            "sparkify_peer",
            pipelines_dir=folder,
            destination=dlt.destinations.duckdb(database),
            dataset_name="staging",
        )
        events = filesystem(bucket_url=logs, file_glob="**/*.json") | read_jsonl(chunksize=10_000)
        records = filesystem(bucket_url=songs, file_glob="**/*.json") | read_song()
        sources = [events.with_name("staging_events"), records.with_name("staging_songs")]
        # Its default, INSERT statements, takes ten times as long.
        pipeline.run(sources, loader_file_format="jsonl").raise_on_failed_jobs()


if __name__ == "__main__":
    load(*sys.argv[1:])

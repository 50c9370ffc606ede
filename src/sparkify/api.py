"""The warehouse for Python: notebooks, orchestrators, BI code.

::

    import sparkify

    w = sparkify.open("sparkify.duckdb")
    w.sql("SELECT level, COUNT(*) AS plays FROM songplays GROUP BY level").df()
    sparkify.load(log_data="lake/log_data", song_data="lake/song_data")

Nothing stays open between two calls: a notebook that lies about holds no lock, and sees what was loaded
meanwhile.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from sparkify.errors import ConfigError
from sparkify.settings import Settings, load_settings

if TYPE_CHECKING:
    from pandas import DataFrame
    from polars import DataFrame as PolarsFrame
    from pyarrow import Table

    from sparkify.warehouse.engine import Engine

T = TypeVar("T")

_MILLISECOND = timedelta(milliseconds=1)
_AS_OF = re.compile(r"[$:]as_of\b")


def open(  # noqa: A001 - sparkify.open, as one opens a file
    database: str | Path | None = None, *, config: str | Path | None = None, engine: str | None = None
) -> Warehouse:
    """Open a warehouse for reading.

    Args:
        database: The DuckDB file; None: what dwh.cfg says.
        config: The dwh.cfg; None: the one in the current folder, if there.
        engine: ``duckdb`` or ``redshift``; None: what dwh.cfg says, DuckDB if ``database`` is given.

    Raises:
        ConfigError: The configuration is wrong.
        EngineError: There is no warehouse.
    """
    chosen = engine or ("duckdb" if database is not None else None)
    flags = {"DWH.DATABASE": None if database is None else str(database), "DWH.ENGINE": chosen}
    warehouse = Warehouse(load_settings(Path(config) if config else None, os.environ, flags))
    _ = warehouse.tables
    return warehouse


def load(
    *,
    config: str | Path | None = None,
    database: str | Path | None = None,
    log_data: str | None = None,
    song_data: str | None = None,
    full_refresh: bool = False,
    strict: bool = False,
) -> dict[str, Any]:
    """Load what is new or changed, as ``sparkify etl`` does; return what ``etl --json`` prints.

    What wants a look (exit code 4 of the command) is under ``attention``. What is said for people goes to
    stderr.

    Args:
        config: The dwh.cfg; None: the one in the current folder, if there.
        database: The DuckDB file, in place of what dwh.cfg says.
        log_data: Where the logs lie, in place of what dwh.cfg says.
        song_data: Where the songs lie, in place of what dwh.cfg says.
        full_refresh: Compute the whole star anew.
        strict: Publish nothing when something wants a look.

    Raises:
        SparkifyError: It failed; the warehouse is as it was.
    """
    from sparkify.cli.embedded import load_quietly

    options = {"config": config, "database": database, "log_data": log_data, "song_data": song_data}
    texts = {name: None if value is None else str(value) for name, value in options.items()}
    return load_quietly(texts, full_refresh=full_refresh, strict=strict)


class Warehouse:
    """A warehouse, opened for reading by each question and closed after it; made by :func:`open`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @property
    def tables(self) -> list[str]:
        """The tables and views that are there, as SQL names them.

        Raises:
            EngineError: There is no warehouse.
        """
        from sparkify.warehouse.ledger import read_meta, read_models
        from sparkify.warehouse.tables import names
        from sparkify.warehouse.version import existing_views

        with self._opened() as engine:
            there, meta = engine.tables(), read_meta(engine)
            models = [each.model for each in read_models(engine)]
        ours = [name.removeprefix("public.") for name in names() if name in there]
        return [*ours, *existing_views(meta), *models]

    def sql(self, query: str) -> Result:
        """Return the answer to a query in the warehouse's own dialect; it is asked when it is converted."""
        return Result(self, lambda _: query)

    def report(
        self,
        output: str | Path = "sparkify-report.html",
        *,
        since: date | None = None,
        until: date | None = None,
    ) -> Path:
        """Write the report's page, as ``sparkify report`` does; return where it is.

        Args:
            output: The file; one that is there is replaced when the page is whole.
            since: The first day, UTC; None: that of the first event.
            until: The last day, included; None: that of the last event.

        Raises:
            EngineError: There is no warehouse, or it is of an older version.
            ConfigError: The file cannot be written.
        """
        from sparkify.cli.embedded import report_quietly

        return report_quietly(self._settings, Path(output), since, until)

    def user_features(self, as_of: datetime) -> Result:
        """Return what was known of each person at a moment; nothing that happened then or later counts.

        One row per person with an event before; the columns and their meaning stand at the head of
        ``sql/features/user_features.sql``.

        Args:
            as_of: The moment; UTC where it carries no zone.
        """
        from sparkify.warehouse.statements import statement

        moment = as_of.replace(tzinfo=UTC) if as_of.tzinfo is None else as_of
        ts = -((datetime(1970, 1, 1, tzinfo=UTC) - moment) // _MILLISECOND)
        step = statement("features/user_features.sql")
        return Result(self, lambda engine: _AS_OF.sub(str(ts), engine.translate(step)))

    @contextmanager
    def _opened(self) -> Iterator[Engine]:
        from sparkify.cli.embedded import logins_of
        from sparkify.warehouse.connect import open_engine, require

        engine = open_engine(self._settings, logins=logins_of(self._settings))
        try:
            with engine.reading() as exists:
                require(engine, exists=exists)
                yield engine
        finally:
            engine.close()


class Result:
    """The answer to a query, as one or another kind of table; each conversion asks anew."""

    def __init__(self, warehouse: Warehouse, query: Callable[[Engine], str]) -> None:
        self._warehouse = warehouse
        self._query = query

    def rows(self) -> list[dict[str, Any]]:
        """Return it as plain Python: one dictionary a row."""
        with self._warehouse._opened() as engine:  # noqa: SLF001 - the two belong together
            answer = engine.query(self._query(engine))
            return [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]

    def arrow(self) -> Table:
        """Return it as an Arrow table (``pip install pyarrow``)."""
        _need("pyarrow")
        from pyarrow.parquet import read_table

        return self._by_parquet(read_table)

    def df(self) -> DataFrame:
        """Return it as a pandas table (``pip install pandas pyarrow``)."""
        _need("pandas")
        return self.arrow().to_pandas()

    def pl(self) -> PolarsFrame:
        """Return it as a Polars table (``pip install polars``)."""
        _need("polars")
        from polars import read_parquet

        return self._by_parquet(read_parquet)

    def _by_parquet(self, read: Callable[[Path], T]) -> T:
        """Read it by way of a Parquet file, which keeps the types of both engines."""
        from sparkify.tempfiles import open_temporary_folder

        with open_temporary_folder() as folder, self._warehouse._opened() as engine:  # noqa: SLF001
            path = folder / "answer.parquet"
            engine.write_parquet(self._query(engine), path)
            return read(path)


def _need(library: str) -> None:
    from importlib.util import find_spec

    if find_spec(library) is None:
        raise ConfigError(f"{library} is not installed.", f"pip install {library}, or ask for .rows().")

"""`sparkify export`: the star, for others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sparkify.cli.commands import Subcommand
from sparkify.cli.options import json_option, open_warehouse, settings_from, warehouse_options
from sparkify.cli.output import make_folder, unwritable, verify_apart, verify_outputs, written_aside
from sparkify.cli.screen import Progress, Screen, rolled_back_if_interrupted
from sparkify.errors import ConfigError
from sparkify.text import counted

if TYPE_CHECKING:
    from sparkify.lake.writer import Writer
    from sparkify.pipeline.export import Extract
    from sparkify.settings import Settings
    from sparkify.warehouse.engine import Engine

# And what a file of each is called.
_FORMATS = {"parquet": "Parquet file", "csv": "CSV file", "duckdb": "DuckDB file"}
_CHUNK = 4 * 1024 * 1024
# Returns where the new contents of a file are to be written, by its key.
Place = Callable[[str], Path]


@click.command(cls=Subcommand)
@click.argument("out")
@click.option("--table", "names", multiple=True, metavar="NAME", help="Only this one; may be repeated.")
@click.option(
    "--format",
    "form",
    type=click.Choice(list(_FORMATS)),
    help="[default: by the suffix of OUT, or else parquet]",
)
@click.option(
    "--partition-by", type=click.Choice(["month"]), help="Write songplays and time as one file a month."
)
@warehouse_options
@json_option
def export(
    out: str,
    names: tuple[str, ...],
    form: str | None,
    partition_by: str | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Write the star, and the views for analysts, to OUT: a folder, a file or an s3:// prefix.

    A folder gets one file a table; files of these names are replaced, others stay. A .duckdb file gets all
    tables, and the views as tables; a .parquet or .csv file gets one table. All is of one state of the
    warehouse, and each file is whole or not there.

    \b
    Example:
      sparkify export star
      sparkify export star.duckdb
      sparkify export plays.csv --table songplays
      sparkify export months --table songplays --table time --partition-by month
    """
    from sparkify.warehouse.connect import require

    screen = Screen(as_json)
    settings = settings_from(options)
    verify_apart(out, settings)
    destination = Destination.parse(out, form, settings, by_month=partition_by is not None)
    engine = open_warehouse(settings, options)
    try:
        with (
            screen.progress("looking for what there is", share_done=engine.share_done) as progress,
            destination.opened(progress) as place,
        ):
            with (
                rolled_back_if_interrupted("files that are in place are whole", what="the export"),
                engine.reading() as exists,
            ):
                require(engine, exists=exists)
                extracts = destination.extracts(engine, names)
                if destination.writer is None:
                    verify_outputs([Path(destination.name_of(each)) for each in extracts], settings, engine)
                files = [_write(engine, destination, each, place, progress) for each in extracts]
            size = sum(place(key).stat().st_size for key in {each.key for each in extracts})
            progress(label="putting files in place")
    finally:
        engine.close()
    removed = destination.remove_outdated(extracts)
    tables = {each.table: 0 for each in extracts}
    for file in files:
        tables[file["table"]] += file["rows"]
    screen.table(["table", "rows"], list(tables.items()))
    count = len({each.key for each in extracts})
    screen.say(f"Wrote {counted(count, _FORMATS[destination.form])} to {out}.")
    if removed:
        screen.say(f"Removed {counted(len(removed), 'file')} of months that the warehouse does not have.")
    screen.result({"out": out, "format": destination.form, "bytes": size, "files": files, "removed": removed})


def _write(
    engine: Engine, destination: Destination, extract: Extract, place: Place, progress: Progress
) -> dict[str, Any]:
    """Write one table, or a month of it; return what --json says of it."""
    path = place(extract.key)
    is_database = destination.form == "duckdb"
    progress(label=f"writing {extract.table if is_database else extract.key}")
    if is_database:
        rows = engine.add_table(extract.sql, path, extract.table)
    else:
        rows = engine.write_file(extract.sql, path, destination.form)
    size = None if is_database else path.stat().st_size  # of several tables in one file each has no size
    return {"table": extract.table, "rows": rows, "bytes": size, "path": destination.name_of(extract)}


@dataclass(frozen=True, slots=True)
class Destination:
    """Where an export goes.

    Attributes:
        out: As it was given.
        root: The folder, or prefix, that all files lie below.
        name: The name of the only file; empty where each table gets its own.
        form: The format of the files.
        by_month: Whether tables that have a time are cut into months.
        writer: Writes below an ``s3://`` prefix; None: it is a folder.
    """

    out: str
    root: str
    name: str
    form: str
    by_month: bool
    writer: Writer | None

    @classmethod
    def parse(cls, out: str, form: str | None, settings: Settings, *, by_month: bool) -> Destination:
        """Return the destination that was asked for; nothing is contacted.

        Raises:
            ConfigError: What was asked for does not go together.
        """
        from sparkify.lake.uri import is_s3, parse_s3
        from sparkify.lake.writer import Writer

        on_s3 = is_s3(out)
        named = Path(out).suffix.lstrip(".").lower()
        if named not in _FORMATS or (not on_s3 and Path(out).is_dir()):
            named = ""
        if form and named and form != named:
            raise ConfigError(f"--format is {form}, and {out} ends in .{named}.", "Leave one of them out.")
        form = form or named or "parquet"
        is_file = bool(named) or form == "duckdb"
        if is_file and by_month:
            raise ConfigError(
                f"--partition-by month writes many files, and {out} is one.", "Name a folder, or a prefix."
            )
        if not on_s3:
            if is_file and Path(out).is_dir():
                raise ConfigError(
                    f"{out} is a folder.", f"Name a file, such as {Path(out) / 'sparkify.duckdb'}."
                )
            if not is_file and Path(out).exists() and not Path(out).is_dir():
                raise ConfigError(
                    f"{out} is a file.",
                    "Name a folder, or a file that ends in .parquet, .csv or .duckdb.",
                )
            root, name = (str(Path(out).parent), Path(out).name) if is_file else (out, "")
            return cls(out, root, name, form, by_month, None)
        place = parse_s3(out)
        if is_file and not place.prefix:
            raise ConfigError(f"{out} is a bucket.", f"Name an object, such as {out}/sparkify.duckdb.")
        root, _, name = place.uri.rpartition("/") if is_file else (place.uri, "", "")
        return cls(out, root, name, form, by_month, Writer(root, settings.aws))

    def name_of(self, extract: Extract) -> str:
        """Return a file's path or URI."""
        return f"{self.root}/{extract.key}" if self.writer else str(Path(self.root) / extract.key)

    def extracts(self, engine: Engine, names: Sequence[str]) -> list[Extract]:
        """Return what is to be written; the warehouse must be open for reading.

        Raises:
            ConfigError: There is no table of a name, or the only file cannot have them all.
        """
        from sparkify.pipeline.export import Extract, choose_tables, cut, read_all

        tables = choose_tables(engine, names)
        if not self.name:
            return cut(engine, tables, self.form, by_month=self.by_month)
        if self.form != "duckdb" and len(tables) != 1:
            raise ConfigError(
                f"{self.out} is one file, and there are {len(tables)} tables for it.",
                "Choose one with --table, or name a folder.",
            )
        return [Extract(table, self.name, read_all(table)) for table in tables]

    def opened(self, progress: Progress) -> AbstractContextManager[Place]:
        """Return a context for writing; at its end, if that is a good one, files take their places."""
        return _prefix(self.writer, progress) if self.writer else _folder(Path(self.root))

    def remove_outdated(self, extracts: Sequence[Extract]) -> list[str]:
        """Remove files of months that the tables do not have any more; return their names."""
        from sparkify.pipeline.export import folders_of_months, outdated

        if not self.by_month:
            return []
        folders = folders_of_months({each.table for each in extracts})
        if self.writer:
            there = [key for folder in folders for key in self.writer.keys(f"{folder}/")]
            gone = outdated(there, extracts, self.form)
            self.writer.remove(gone)
            return [f"{self.root}/{key}" for key in gone]
        root = Path(self.root)
        files = [path for folder in folders for path in (root / folder).rglob("*") if path.is_file()]
        gone = outdated([path.relative_to(root).as_posix() for path in files], extracts, self.form)
        for path in (root / key for key in gone):
            try:
                path.unlink()
            except OSError as exc:
                raise unwritable(path, exc) from exc
            with suppress(OSError):  # something else lies there
                path.parent.rmdir()
                path.parent.parent.rmdir()
        return [str(root / key) for key in gone]


@contextmanager
def _folder(root: Path) -> Iterator[Place]:
    """Have files written beside their places, all of which they take at the end."""
    with ExitStack() as files:

        @cache
        def place(key: str) -> Path:
            make_folder(root / key)
            aside = files.enter_context(written_aside(root / key))
            # DuckDB's own log, if it could not be folded in.
            files.callback(aside.with_name(f"{aside.name}.wal").unlink, missing_ok=True)
            return aside

        yield place


@contextmanager
def _prefix(writer: Writer, progress: Progress) -> Iterator[Place]:
    """Have files written to a temporary folder, and sent at the end."""
    from sparkify.tempfiles import open_temporary_folder

    with open_temporary_folder() as folder:
        written: dict[str, Path] = {}

        def place(key: str) -> Path:
            return written.setdefault(key, folder / str(len(written)))

        yield place
        for key, path in written.items():
            progress(label=f"sending {key}")
            writer.put(key, _chunks(path))


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk

"""What a run would send to Redshift: the engine itself, on a session and a STAGING that only write down."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sparkify.intake.pack import FILE_FIELD
from sparkify.settings import ClusterSettings
from sparkify.tempfiles import open_spool
from sparkify.warehouse.redshift.copying import CopyLoader, CopySource
from sparkify.warehouse.redshift.literals import fill
from sparkify.warehouse.redshift.prescan import Seen
from sparkify.warehouse.redshift.redshift_engine import RedshiftEngine
from sparkify.warehouse.redshift.session import STATEMENT_TIMEOUT, RedshiftSession, Rows
from sparkify.warehouse.redshift.staging import StagingArea
from sparkify.warehouse.script import Answers, SongFile
from sparkify.warehouse.statements import read_statements, statement
from sparkify.warehouse.tables import names

_COPIED = 10**9  # as many as were sent, however many


class _Notes(RedshiftSession):
    """A session that is never opened."""

    def __init__(self, cluster: ClusterSettings, answers: Answers) -> None:
        super().__init__(cluster, lambda: ("", ""))
        self.statements: list[str] = []
        self._answers = answers
        for step in read_statements("redshift/settings.sql"):
            self.send(fill(step.text, step.pick({"milliseconds": STATEMENT_TIMEOUT * 1000})), "SET")

    def send(self, sql: str, what: str) -> tuple[list[tuple[str, int]], Rows]:
        self.statements.append(sql)
        path = what.partition(",")[0]
        if path == "redshift/our_tables.sql":
            return [], [(name,) for name in names() if self._answers.exists]
        if path == "redshift/copied_songs.sql":
            return [], [(_COPIED,)]
        return [], self._answers.to(path)

    @contextmanager
    def transaction(self, begin: str, *, keep: bool) -> Iterator[None]:
        self.send(statement(begin).text, "BEGIN")
        yield
        self.send(statement(f"redshift/{'commit' if keep else 'rollback'}.sql").text, "")


class _Nowhere(StagingArea):
    """Names of objects that are never written."""

    def put_all(self, objects: Sequence[tuple[str, bytes]]) -> list[str]:
        return [f"{self.uri}{self._next():06d}-{name}" for name, _ in objects]

    def put_file(self, name: str, path: Path) -> list[str]:
        return self.put_all([(name, b"")])

    def remove(self, uris: Sequence[str]) -> None:
        pass


class RedshiftScript(RedshiftEngine):
    """A warehouse on Redshift that is asked nothing."""

    def __init__(
        self, cluster: ClusterSettings, reading: CopySource, area: StagingArea | None, answers: Answers
    ) -> None:
        self._notes = _Notes(cluster, answers)
        nowhere = _Nowhere(area.writer) if area else None
        super().__init__(self._notes, CopyLoader(self._notes, reading, nowhere, look=_plain))

    @property
    def head(self) -> list[str]:
        return [
            "What would be sent, if all files are as they should be; one in doubt adds a few statements.",
            "Counts, times and values that only the files tell are shown as 0 or NULL.",
        ]

    @property
    def statements(self) -> list[str]:
        return self._notes.statements

    def land_song_files(self, files: Sequence[SongFile]) -> None:
        with open_spool() as spool:
            packed = spool / "songs.json"
            with packed.open("w") as out:
                for file in files:
                    # As large as the record, since more are sent in more pieces.
                    out.write(json.dumps({FILE_FIELD: file.file_id})[:-1] + " " * file.size + "}\n")
            self.land_songs(packed, FILE_FIELD)


def _plain(path: Path, *, exact: bool) -> Seen:  # noqa: ARG001 - it does not look
    """Take every log file for one as it should be; it is not read."""
    return Seen(1, nested=False)

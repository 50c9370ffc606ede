"""A run that only writes down what it would send: no file is read, nothing is asked, nothing is changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from sparkify.pipeline.etl_run import RunOptions, choose_plays_from, publish
from sparkify.pipeline.land import LandedFile, Landing
from sparkify.pipeline.plan import EVENTS, SONGS, Plan, PlannedFile, in_groups
from sparkify.pipeline.retry import Attempt
from sparkify.pipeline.scope import Scope
from sparkify.warehouse.engine import Engine, LogFile
from sparkify.warehouse.ledger import read_ledger
from sparkify.warehouse.script import TS_FROM, TS_TO, Answers, Script, SongFile
from sparkify.warehouse.statements import statement
from sparkify.warehouse.tables import count_rows


class _Silence:
    """Nobody wants to know."""

    def expect(self, *, files: int, size: int) -> None: ...

    def __call__(self, *, files: int = 0, rows: int = 0, size: int = 0, label: str | None = None) -> None: ...


def rehearse(
    engine: Engine, plan: Plan, options: RunOptions, open_script: Callable[[Answers], Script]
) -> Script:
    """Return, written down in order, the statements of a run of this plan if every file is as it should be.

    A file in doubt adds a few. Counts and times that only the files tell are 0, or expressions; so the texts
    are what is sent, the numbers in them are not.

    Args:
        engine: The warehouse.
        plan: What would be loaded.
        options: How.
        open_script: Gives an engine that answers so, and writes down what it is given.
    """
    latest = plan.latest_run
    with engine.reading() as exists:
        answers = Answers(latest_run=latest, exists=exists and "etl.files" in engine.tables())
    script = open_script(answers)
    read_ledger(script)
    batches = list(in_groups(plan.files, options.batch_bytes)) or ([[]] if options.full_refresh else [])
    for number, batch in enumerate(batches, 1):
        script.prepare()
        landing = _land(script, batch)
        last = number == len(batches)
        how = RunOptions(full_refresh=options.full_refresh and last)
        plays_from = choose_plays_from(plan.latest_run + 1, full_refresh=options.full_refresh, last=last)
        publish(script, landing, latest, _Silence(), how, Attempt(), plays_from=plays_from)
        answers.publish()
        latest += 1
    with script.reading():
        count_rows(script)
    return script


def _land(script: Script, files: Sequence[PlannedFile]) -> Landing:
    songs = [file for file in files if file.source.kind == SONGS]
    events = [file for file in files if file.source.kind == EVENTS]
    landing = Landing([LandedFile(file, 0, 0) for file in files])
    if songs:
        script.land_song_files([SongFile(file.item.uri, file.file_id, file.item.size) for file in songs])
        script.execute(statement("ledger/landed_songs.sql"))
    if events:
        logs = [LogFile(Path(file.item.key), file.file_id, file.item.uri) for file in events]
        script.land_events(logs, plain=True)
        script.execute(statement("ledger/landed_events.sql"))
        landing.scope = Scope(TS_FROM, TS_TO)
    return landing

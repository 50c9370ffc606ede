"""The star from staging: the models, in the order they build on each other; then the user's own."""

from __future__ import annotations

from collections.abc import Collection

from sparkify.custom.building import DayRange, build_models
from sparkify.custom.definitions import Models
from sparkify.pipeline.progress import ShowProgress
from sparkify.pipeline.scope import DAY, FIRST, LAST, Scope, TouchedDay, parameters
from sparkify.warehouse.derived import shared_statements
from sparkify.warehouse.engine import Engine
from sparkify.warehouse.models import CATALOGUE, DAYS, PIECE, REMATCH, RESET, USERS
from sparkify.warehouse.statements import LOST, SPARSE, read_statements, statement

# How far back the latest event of people who lost theirs is looked for, in days, before all events are.
_STRETCHES = (1, 8, 64)

# What a model does, for those who watch.
_WORDS = {
    "star/reset.sql": "emptying the star",
    "star/songs.sql": "building songs",
    "star/artists.sql": "building artists",
    "star/song_matches.sql": "matching plays with songs",
    "star/rematch.sql": "looking for earlier plays of new songs",
    "star/rematched.sql": "matching earlier plays with new songs",
    "star/played.sql": "counting what is played",
    "star/songplays.sql": "building songplays",
    "star/users.sql": "building users",
    "star/time.sql": "building time",
    "star/days.sql": "counting events by day",
}


def find_scope(engine: Engine) -> Scope:
    """Return the scope of the moments in ``run_moments``."""
    found = engine.execute(statement("run/touched_days.sql"))
    return Scope.of_days(TouchedDay(*map(int, row)) for row in found)


def transform(engine: Engine, scope: Scope, progress: ShowProgress) -> None:
    """Bring the star up to date with staging, within the scope; if that is everything, compute it all anew.

    The same models serve a run that adds a day and one that rebuilds all: only their scope differs.
    """
    if scope.everything:
        engine.use_all_memory()
        _compute(engine, progress, RESET)
    # What has nothing to look at is not sent: each statement takes its time to reach a cluster.
    ((songs, people),) = engine.execute(statement("run/changes.sql"))
    if songs:
        _compute_catalogue(engine, progress)
    if people:
        _find_lost_users(engine, progress)
    for piece in scope.pieces:
        for path in PIECE:
            _compute(engine, progress, path, LOST, *piece.left_out, **parameters(piece))
    compute_days(engine, scope, progress)


def compute_days(engine: Engine, scope: Scope, progress: ShowProgress) -> None:
    """Compute anew what the events of the days of the scope come to."""
    for piece in scope.days().pieces:
        _compute(engine, progress, DAYS, **parameters(piece))
        engine.execute(shared_statements().absent, **parameters(piece))


def _compute_catalogue(engine: Engine, progress: ShowProgress) -> None:
    """Bring songs and artists up to date, and the plays of earlier runs that have another song now."""
    for path in CATALOGUE:
        _compute(engine, progress, path)
    ((titles_from, titles_to),) = engine.execute(statement("run/played_range.sql"))
    if titles_from is not None:
        for path in REMATCH:
            _compute(engine, progress, path, titles_from=titles_from, titles_to=titles_to)


def build_own(
    engine: Engine,
    models: Models,
    scope: Scope,
    run_id: int,
    progress: ShowProgress,
    drop: Collection[str] = (),
) -> None:
    """Bring the user's own models up to date with the star, within the scope of the run.

    Args:
        engine: The warehouse, open for writing; the star is up to date.
        models: The user's; none are not built.
        scope: The scope of the run.
        run_id: The run.
        progress: Told what is done.
        drop: The models to drop whose file is gone.

    Raises:
        ModelError: The database refuses one of them.
    """
    if models:
        engine.use_all_memory()  # they may read whatever there is
        progress(label="building your models")
        pieces = scope.days().pieces
        days = (
            None if scope.everything else [DayRange.of_moments(each.ts_from, each.ts_to) for each in pieces]
        )
        build_models(engine, models, run_id, days, drop)


def count_plays(engine: Engine, scope: Scope) -> tuple[int, int, int]:
    """Return how many plays the scope has, how many match a song, and how many rows of staging they are."""
    step = statement("ledger/star_totals.sql")
    rows = [engine.execute(step.without(*piece.left_out), **parameters(piece))[0] for piece in scope.pieces]
    plays, matched, staged = (sum(int(row[i]) for row in rows) for i in range(3))
    return plays, matched, staged


def _compute(engine: Engine, progress: ShowProgress, path: str, *without: str, **values: int) -> None:
    progress(label=_WORDS[path])
    for step in read_statements(path):
        engine.execute(step.without(*without), **values)


def _find_lost_users(engine: Engine, progress: ShowProgress) -> None:
    """Find the latest event of people who lost theirs: in the days before it, then further back.

    Each stretch ends where the one before began: who was not found there has no event in it.
    """
    ts_from = LAST
    for days in (*_STRETCHES, None):
        ((people, newest),) = engine.execute(statement("run/lost_users.sql"))
        if not people:
            return
        ts_to = min(newest, ts_from - 1)
        ts_from = FIRST if days is None else newest - days * DAY
        _compute(engine, progress, USERS, SPARSE, ts_from=ts_from, ts_to=ts_to)
        engine.execute(statement("run/found_users.sql"))

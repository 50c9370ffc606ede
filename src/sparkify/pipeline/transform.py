"""The star from staging: the models, in the order they build on each other."""

from __future__ import annotations

from sparkify.pipeline.progress import ShowProgress
from sparkify.pipeline.scope import Scope
from sparkify.warehouse.derived import shared_statements
from sparkify.warehouse.engine import Engine
from sparkify.warehouse.statements import read_statements
from sparkify.warehouse.version import MODELS

# What a model does, for those who watch.
_WORDS = {
    "star/reset.sql": "emptying the star",
    "star/songs.sql": "building songs",
    "star/artists.sql": "building artists",
    "star/song_matches.sql": "matching plays with songs",
    "star/rematch.sql": "matching earlier plays with new songs",
    "star/songplays.sql": "building songplays",
    "star/users.sql": "building users",
    "star/time.sql": "building time",
    "star/days.sql": "counting events by day",
}


def transform(engine: Engine, scope: Scope, progress: ShowProgress, *, full_refresh: bool) -> None:
    """Bring the star up to date with staging, within the scope.

    The same models serve a run that adds a day and one that rebuilds all: only their range differs.
    """
    for path in ("star/reset.sql", *MODELS) if full_refresh else MODELS:
        progress(label=_WORDS.get(path, f"computing {path.removeprefix('star/').removesuffix('.sql')}"))
        for step in read_statements(path):
            engine.execute(step, **scope.parameters())
    engine.execute(shared_statements().absent, **scope.parameters())

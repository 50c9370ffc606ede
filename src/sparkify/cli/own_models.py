"""What a run does about the user's own models: asked, planned and told."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from sparkify.cli.screen import Screen
from sparkify.errors import Command, Hint
from sparkify.text import counted

if TYPE_CHECKING:
    from sparkify.custom.definitions import Models
    from sparkify.pipeline.plan import Plan
    from sparkify.warehouse.engine import Engine


def confirm_drops(screen: Screen, engine: Engine, models: Models, *, yes: bool) -> frozenset[str]:
    """Return which models of the warehouse are to be dropped, of those whose file is gone.

    Without ``--yes``, and where there is no terminal to ask on, they are kept.
    """
    from sparkify.custom.building import KEPT, find_changes
    from sparkify.warehouse.ledger import read_models

    with engine.reading() as exists:
        known = read_models(engine) if exists else []
    gone = [each.model for each in find_changes(models, known) if each.build == KEPT]
    if not gone or not (yes or sys.stdin.isatty()):
        return frozenset()
    listed = ", ".join(gone)
    question = f"There is no file any more of {listed}: drop {'it' if len(gone) == 1 else 'them'}?"
    return frozenset(gone) if screen.confirm(question, yes=yes) else frozenset()


def show_planned(screen: Screen, plan: Plan) -> None:
    """Show what a run would do about each model."""
    if plan.models:
        words = {
            "made": "would be made",
            "nothing": "a view, which stands",
            "whole": "all rows",
            "days": "the days it touches",
            "kept": "kept; dropped with --yes",
        }
        rows = [[each.model, each.materialized, each.state, words[each.build]] for each in plan.models]
        screen.table(["your model", "materialized", "state", "what a run builds"], rows)
    _note_kept(screen, plan)


def show_built(screen: Screen, plan: Plan, *, published: bool) -> None:
    """Say which models a run that was published has made or dropped, and which are kept without a file."""
    news = [f"{each.model} ({each.state}, {each.build})" for each in plan.models if each.is_news]
    if news and published:
        screen.say(f"Your models: {', '.join(news)}.")
    _note_kept(screen, plan)


def _note_kept(screen: Screen, plan: Plan) -> None:
    kept = plan.models_kept
    if kept:
        screen.note(
            Hint(
                "{} no file in [DWH] MODELS any more, and {} as {}: {}. {} drops {}.",
                counted(len(kept), "model has", "models have"),
                "stays" if len(kept) == 1 else "stay",
                "it was" if len(kept) == 1 else "they were",
                ", ".join(kept),
                Command("etl", "--yes"),
                "it" if len(kept) == 1 else "them",
            )
        )

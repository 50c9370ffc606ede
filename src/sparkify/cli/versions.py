"""What an upgrade of the warehouse did, or would do: for people and for scripts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from sparkify.text import counted

if TYPE_CHECKING:
    from sparkify.warehouse.version import Upgrade


def describe_upgrade(
    upgrade: Upgrade, rejects: int, *, would: bool, keeps_rules: bool = False
) -> Iterator[str]:
    """Yield, in lines for people, what an upgrade did, or (``would``) would do.

    Args:
        upgrade: The upgrade.
        rejects: How many loaded files may be read in another way.
        would: Whether it is still to be done.
        keeps_rules: They cannot be read again: nobody said where they are.
    """
    from sparkify.warehouse.tables import STAR
    from sparkify.warehouse.version import existing_views

    if upgrade.migrations:
        names = ", ".join(path.rpartition("/")[2].removesuffix(".sql") for path in upgrade.migrations)
        yield f"The tables {'would be' if would else 'were'} brought to this version: {names}."
    if upgrade.views:
        # A warehouse that has none gets all.
        names = ", ".join(upgrade.views) if existing_views(upgrade.found) else "analytics.*"
        yield f"Views for analysts {'would be' if would else 'were'} made anew: {names}."
    if upgrade.models:
        named = counted(len(upgrade.models), "model is another", "models are others")
        yield (
            f"{named} than when this warehouse was computed ({', '.join(upgrade.models)}): "
            f"{', '.join(STAR)} {'would be' if would else 'were'} computed anew."
        )
    if upgrade.rules:
        files = counted(rejects, "file")
        done = "would be" if would else "were"
        if keeps_rules:
            done = "cannot be" if would else "were not"
        where = "; say where they are" if keeps_rules else ""
        yield (
            f"The rules for records have changed: {files} with rejects, or with fields that have no column, "
            f"{done} read again{where}."
        )


def upgrade_object(upgrade: Upgrade) -> dict[str, Any]:
    """Return an upgrade for scripts."""
    return {
        "from_version": upgrade.found.schema_version if upgrade.found else None,
        "migrations": list(upgrade.migrations),
        "models": list(upgrade.models),
        "views": list(upgrade.views),
        "rules": upgrade.rules,
    }

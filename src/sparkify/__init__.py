"""Sparkify's data warehouse: activity logs and songs in, a star schema out.

The layers, each importing only from those to its right::

    cli → doctor → pipeline, cluster, simulator → intake → warehouse → lake → settings → records, errors

Start reading at :mod:`sparkify.pipeline.etl_run`: one run, top to bottom. From Python, :mod:`sparkify.api` is
the door: ``sparkify.open`` and ``sparkify.load``.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sparkify.api import load, open  # noqa: A004 - sparkify.open, as one opens a file

__version__ = "0.1.0"
__all__ = ["__version__", "load", "open"]


def __getattr__(name: str) -> Any:
    """Import what is asked for by name when it is: ``import sparkify`` alone stays fast."""
    if name in ("load", "open"):
        from sparkify import api

        return getattr(api, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

"""Sparkify's data warehouse: activity logs and songs in, a star schema out.

The layers, each importing only from those to its right::

    cli → doctor → pipeline, cluster, simulator → intake → warehouse → lake → settings → records, errors

Start reading at :mod:`sparkify.pipeline.etl_run`: one run, top to bottom.
"""

__version__ = "0.1.0"

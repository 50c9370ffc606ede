"""A run: plan → land → publish → record. :mod:`sparkify.pipeline.etl_run` reads top to bottom."""

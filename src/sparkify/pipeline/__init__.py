"""A run: plan → stage → transform → check → commit. :mod:`sparkify.pipeline.etl_run` reads top to bottom."""

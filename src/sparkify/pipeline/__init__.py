"""A run: plan → stage → transform → check → commit. :mod:`sparkify.pipeline.run` reads top to bottom."""

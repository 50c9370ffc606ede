"""The objects: list them, read them, pack the tiny ones.

A *lake* is a local folder or an ``s3://`` prefix; both are a :class:`~sparkify.lake.store.Store`.
This layer knows nothing of tables or SQL.
"""

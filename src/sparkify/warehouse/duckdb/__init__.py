"""The embedded engine, DuckDB: the default on a laptop and in CI."""

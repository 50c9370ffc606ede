"""Build the warehouse of one schema version, to be kept as a fixture for tests of upgrades.

A release that changes the tables or the ledger adds one, once the code is committed:

    python -m tools.make_fixture 3                      # by the code of HEAD
    python -m tools.make_fixture 0 --commit 066e3aa     # by older code, from before there was this tool

This writes tests/fixtures/warehouses/vN and refuses to overwrite one: a warehouse that an old version made
cannot be made again by a newer one. Commit the folder as it is. It holds

    warehouse.duckdb.gz   the DuckDB file as that code left it
    lake.tar.gz           its lake: simulated, dirty and hand-made files, with the times of last change
    tables.sql            the CREATE statements the same code sends to Redshift, as they were sent
    expected.json         rows and a hash of every table, and what the next `etl` would find to do
    meta.json             the commit, the versions, and every command of the history with its exit code

``tests/old_warehouses.py`` restores it on either engine. ``history.py`` is what happens to the warehouse; the
commands it uses are part of the contract, so it needs a change only when they do.
"""

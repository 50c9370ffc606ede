"""What a real cluster answers where documentation leaves doubts, and a small month on it beside DuckDB.

Works in a database of its own, which it makes and removes. Knows nothing of the terminal.
"""

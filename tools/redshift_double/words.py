"""Redshift's words, read from words.toml. Owns no knowledge of its own."""

from __future__ import annotations

import tomllib
from importlib.resources import files

_LISTS = {
    name: frozenset(words.split())
    for name, words in tomllib.loads((files(__package__) / "words.toml").read_text()).items()
}
RESERVED = _LISTS["reserved"]
NOT_CALLS = _LISTS["not_calls"]
FUNCTIONS = _LISTS["functions"]
NOT_MODELLED = _LISTS["not_modelled"]
LEADER_FUNCTIONS = _LISTS["leader_functions"]
LEADER_WORDS = frozenset({"current_time", "current_timestamp", "localtime", "localtimestamp"})
FRAMED = _LISTS["aggregates"] | {"first_value", "last_value", "nth_value"}
SETTINGS = _LISTS["settings"]
DATE_PART_FUNCTIONS = frozenset({"dateadd", "datediff", "date_part"})

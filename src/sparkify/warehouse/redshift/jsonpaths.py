"""The user's own JSONPaths file for logs, compared with the columns it has to fill before COPY uses it."""

from __future__ import annotations

import json
import re

from sparkify.errors import ConfigError
from sparkify.records import EVENTS

_PATH = re.compile(r"\$(?:\['([^']+)'\]|\[\"([^\"]+)\"\]|\.([A-Za-z0-9_]+))")


def verify_jsonpaths(data: bytes, uri: str) -> None:
    """Raise unless the file names our fields in the order of the columns.

    If the key is not ``jsonpaths``, COPY matches names instead, without an error.

    Raises:
        ConfigError: The file names other fields, or another order.
    """
    try:
        document = json.loads(data)
        paths = [_PATH.fullmatch(path) for path in document["jsonpaths"]]
        found = [next(filter(None, path.groups())) if path else "" for path in paths]
    except (ValueError, KeyError, TypeError) as exc:
        raise ConfigError(
            f"{uri} is not a JSONPaths file.",
            'It is one object, {"jsonpaths": ["$[\'artist\']", …]}. Or leave LOG_JSONPATH empty.',
        ) from exc
    wanted = list(EVENTS.keys)
    if found != wanted:
        raise ConfigError(
            f"{uri} does not name the {len(wanted)} fields of a log line in the order of the columns: "
            f"{', '.join(wanted)}.",
            "Correct it, or leave LOG_JSONPATH empty: then we match the names ourselves.",
        )

"""Which files of the ledger `retract` is told to take out, or to let in again: by name, or by glob."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from sparkify.errors import Command, Hint, SparkifyError
from sparkify.lake.globs import Glob, is_glob, uri_of
from sparkify.text import common_start
from sparkify.warehouse.connect import require
from sparkify.warehouse.engine import Engine
from sparkify.warehouse.ledger import LedgerFile, Meta, counts_below, files_below, files_like, read_meta


@dataclass(frozen=True, slots=True)
class Selection:
    """The files that are named.

    Attributes:
        files: Those of the state that was asked for, by URI; each once.
        rows: Of each, by its number: how many rows it has, or had, in staging.
        plays: Likewise, how many plays.
        already: URIs that were named and are retracted already.
        others: How many files that a glob matches are of another state, by state.
        globbed: Whether a name was taken for a glob.
    """

    files: list[LedgerFile]
    rows: dict[int, int] = field(default_factory=dict)
    plays: dict[int, int] = field(default_factory=dict)
    already: list[str] = field(default_factory=list)
    others: dict[str, int] = field(default_factory=dict)
    globbed: bool = False

    @property
    def totals(self) -> tuple[int, int]:
        """The numbers of rows and of plays of all of them."""
        return sum(self.rows.values()), sum(self.plays.values())


def select_files(engine: Engine, names: Sequence[str], state: str) -> Selection:
    """Return the files of a state that are named.

    Args:
        engine: The warehouse.
        names: Paths, S3 URIs and globs over them (:class:`sparkify.lake.globs.Glob`). What is the name of a
            file of the ledger is no glob, whatever characters it has.
        state: ``loaded`` or ``retracted``.

    Raises:
        EngineError: There is no warehouse.
        SparkifyError: The ledger has no file that a name is of or a glob matches (all such are named), or a
            file that is named is in another state.
    """
    given = {uri_of(name): Glob(name) if is_glob(name) else None for name in names}
    # A name with such characters may be a file's own.
    prefix = common_start([glob.prefix if glob else uri for uri, glob in given.items()])
    with engine.reading() as exists:
        require(engine, exists=exists)
        meta = read_meta(engine) or Meta()
        below = files_below(engine, meta, prefix)
        known: dict[str, list[LedgerFile]] = {}
        for file in below:
            known.setdefault(file.uri, []).append(file)
        found: dict[int, LedgerFile] = {}
        already, unknown, refused = [], [], []
        others: dict[int, LedgerFile] = {}
        for uri, glob in given.items():
            if uri in known:
                of_state = [file for file in known[uri] if file.state == state]
                found |= {file.file_id: file for file in of_state}
                if not of_state and any(file.state == "retracted" for file in known[uri]):
                    already.append(uri)
                elif not of_state:
                    refused.append(_why_not(engine, meta, uri, state))
                continue
            matched = [file for file in below if glob.matches(file.uri)] if glob else []
            if not matched:
                unknown.append(glob.uri if glob else uri)
            for file in matched:
                (found if file.state == state else others)[file.file_id] = file
        if unknown:
            raise _unknown(unknown, state)
        if refused:
            raise SparkifyError(" ".join(message for message, _ in refused), refused[0][1])
        counts = counts_below(engine, prefix, state) if found else {}
    files = sorted(found.values(), key=lambda file: (file.uri, file.file_id))
    return Selection(
        files,
        {file.file_id: counts[file.file_id][0] for file in files},
        {file.file_id: counts[file.file_id][1] for file in files},
        already,
        dict(sorted(Counter(file.state for file in others.values() if file.uri not in already).items())),
        globbed=any(glob and uri not in known for uri, glob in given.items()),
    )


def _why_not(engine: Engine, meta: Meta, uri: str, state: str) -> tuple[str, str]:
    """Return why a file of the ledger is none to take, and what to do instead."""
    known = files_like(engine, meta, uri)
    for copy in (file for file in known if file.uri == uri):
        same = [file for file in known if (file.kind, file.content) == (copy.kind, copy.content)]
        original = next((file for file in same if copy.state == "copy" != file.state), None)
        if original:
            return (
                f"{uri} is a copy of {original.uri}, which is {original.state} and stands for both.",
                "Name that file instead.",
            )
    return f"{uri} is not {state}.", Hint("Name a file as {} shows it.", Command("files"))


def _unknown(names: Sequence[str], state: str) -> SparkifyError:
    if len(names) == 1 and not is_glob(names[0]):
        return SparkifyError(
            f"{names[0]} is not {state}.", Hint("Name a file as {} shows it.", Command("files"))
        )
    return SparkifyError(
        f"the warehouse knows no file of the name, or like the pattern, {', '.join(names)}.",
        Hint(
            "Nothing was changed. Name files as {} shows them; in a pattern `*` ends at a slash, and `**` "
            "stands for folders.",
            Command("files", "--limit", "0"),
        ),
    )

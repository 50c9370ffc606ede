"""How many rejects a file and a run may have."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sparkify.errors import CheckError, Command, ConfigError, Hint
from sparkify.pipeline.landing import LandedFile, SetAside
from sparkify.text import counted, shortened
from sparkify.warehouse.ledger import REJECTS

# What an error shows: the commonest reasons, and so many characters of what is wrong with the first record.
_REASONS = 3
_DETAIL = 200
# A file of which more than this share and more than so many records are rejected is set aside.
_SHARE = 10.0
_FEW = 10


@dataclass(frozen=True, slots=True)
class MaxRejects:
    """A number of records, or a share of those read; more of them stop a run before it publishes.

    Rejects count by their weight: what cannot be divided into records counts as about as many as it may hold.

    Attributes:
        count: The number of records; None: a share.
        percent: The share of records, in percent.
        known: Of how many records of a file, by URI, it is known that they are rejected: they may be.
        as_before: Whether a file that is read again unchanged may have as many as before; else ``known`` is
            all.
        accept: URIs, or ends of URIs, of files that are loaded however many of their records are rejected.
    """

    count: int | None = None
    percent: float | None = 1.0
    known: Mapping[str, int] = field(default_factory=dict)
    as_before: bool = True
    accept: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> MaxRejects:
        """Read ``100`` or ``2.5%``.

        Raises:
            ConfigError: It is neither.
        """
        try:
            if text.endswith("%"):
                percent = float(text.removesuffix("%"))
                if 0 <= percent <= 100:
                    return cls(None, percent)
            elif int(text) >= 0:
                return cls(int(text), None)
        except ValueError:
            pass
        raise ConfigError(
            f"--max-rejects is {text!r}; expected a number of records such as 100, or a share such as 1%.",
            "Say --max-rejects 1% or --max-rejects 100.",
        )

    def accepts(self, uri: str) -> bool:
        """Tell whether a file is loaded however many of its records are rejected."""
        return is_named(uri, self.accept)

    def judge(self, file: LandedFile) -> SetAside | None:
        """Return why a file is set aside: nothing of it loads, or too little; None: it is loaded.

        Files of a packed kind, of one record each, are judged together (:meth:`verify`).
        """
        uri = file.file.item.uri
        weight = file.weight - self.known.get(uri, 0)
        if file.file.source.kind.packed or weight <= 0 or self.accepts(uri):
            return None
        total = file.landed + file.weight
        share = max(_SHARE, self.percent or 0) / 100
        if file.landed and not (weight > _FEW and weight > share * total):
            return None
        much = (
            f"{_about(file.weight, file)} of {counted(total, 'record')}"
            if file.landed
            else "nothing of it loads:"
        )
        detail = f"{much} rejected ({_reasons([file])})" if file.landed else f"{much} {_reasons([file])}"
        return SetAside(REJECTS, f"{detail}. {_first([file])}"[:1000])

    def verify(self, files: Sequence[LandedFile]) -> None:
        """Raise when too many records of a run's files were rejected.

        Raises:
            CheckError: Naming the numbers, the commonest reasons and the first of the records.
        """
        counted_in = [each for each in files if not self.accepts(each.file.item.uri)]
        rejected = sum(each.weight for each in counted_in)
        read = sum(each.landed + each.weight for each in files)
        if self.count is not None:
            allowed, said = float(self.count), f"{self.count:,}"
        else:
            allowed, said = read * (self.percent or 0) / 100, f"{self.percent:g}%"
        if known := sum(self.known.get(each.file.item.uri, 0) for each in counted_in):
            allowed, said = allowed + known, f"{said} beside the {known:,} that were before"
        if rejected > allowed:
            raise CheckError(
                f"{_about(rejected, *counted_in)} of {counted(read, 'record')} "
                f"{'was' if rejected == 1 else 'were'} rejected, "
                f"more than --max-rejects {said} allows: {_reasons(files)}. {_first(files)}",
                Hint(
                    "Nothing was published. See them with {} and {}; mend the files, "
                    "or allow as many with {}.",
                    Command("rejects", "list"),
                    Command("rejects", "show"),
                    f"--max-rejects {rejected}",
                ),
            )


def is_named(uri: str, names: Sequence[str]) -> bool:
    """Tell whether one of the names is a URI, or the end of it from the beginning of a part on."""
    return any(uri == name or uri.endswith("/" + name.lstrip("/")) for name in names)


def _about(weight: int, *files: LandedFile) -> str:
    """Return how many records rejects may be, as said: about so many where they cannot be divided."""
    exact = weight == sum(len(each.rejects) for each in files)
    return f"{weight:,}" if exact else f"about {weight:,}"


def _reasons(files: Sequence[LandedFile]) -> str:
    counts = Counter(reject.reason for each in files for reject in each.rejects)
    shown = [f"{count:,} {reason}" for reason, count in counts.most_common(_REASONS)]
    rest = counts.total() - sum(count for _, count in counts.most_common(_REASONS))
    return ", ".join([*shown, f"{rest:,} for other reasons"] if rest else shown)


def _first(files: Sequence[LandedFile]) -> str:
    for each in files:
        for reject in each.rejects:
            what = shortened(reject.detail, _DETAIL)
            return f"The first is line {reject.line:,} of {each.file.item.uri}: {what}."
    return ""

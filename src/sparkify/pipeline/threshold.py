"""How many rejects a run may have."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sparkify.errors import CheckError, Command, ConfigError, Hint
from sparkify.pipeline.landing import LandedFile
from sparkify.text import counted, shortened

# What an error shows: the commonest reasons, and so many characters of what is wrong with the first record.
_REASONS = 3
_DETAIL = 200


@dataclass(frozen=True, slots=True)
class MaxRejects:
    """A number of records, or a share of those read; more of them stop a run before it publishes.

    ``known`` says of how many records of a file, by URI, that they were rejected before, and may be again.
    """

    count: int | None = None
    percent: float | None = 1.0
    known: Mapping[str, int] = field(default_factory=dict)

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

    def verify(self, files: Sequence[LandedFile]) -> None:
        """Raise when too many records of a run's files were rejected.

        Raises:
            CheckError: Naming the numbers, the commonest reasons and the first of the records.
        """
        rejected = sum(len(each.rejects) for each in files)
        read = sum(each.rows_read for each in files)
        if self.count is not None:
            allowed, said = float(self.count), f"{self.count:,}"
        else:
            allowed, said = read * (self.percent or 0) / 100, f"{self.percent:g}%"
        if known := sum(self.known.get(each.file.item.uri, 0) for each in files):
            allowed, said = allowed + known, f"{said} beside the {known:,} that were before"
        if rejected > allowed:
            raise CheckError(
                f"{rejected:,} of {counted(read, 'record')} {'was' if rejected == 1 else 'were'} rejected, "
                f"more than --max-rejects {said} allows: {_reasons(files)}. {_first(files)}",
                Hint(
                    "Nothing was published. See them with {} and {}; mend the files, "
                    "or allow as many with {}.",
                    Command("rejects", "list"),
                    Command("rejects", "show"),
                    f"--max-rejects {rejected}",
                ),
            )


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

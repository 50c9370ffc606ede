"""How many rejects a run may have."""

from __future__ import annotations

from dataclasses import dataclass

from sparkify.errors import CheckError, ConfigError


@dataclass(frozen=True, slots=True)
class MaxRejects:
    """A number of records, or a share of those read; more of them stop a run before it publishes."""

    count: int | None = None
    percent: float | None = 1.0

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

    def verify(self, rejected: int, read: int) -> None:
        """Raise when there are too many.

        Raises:
            CheckError: Naming the numbers.
        """
        if self.count is not None:
            allowed, said = float(self.count), f"{self.count:,}"
        else:
            allowed, said = read * (self.percent or 0) / 100, f"{self.percent:g}%"
        if rejected > allowed:
            raise CheckError(
                f"{rejected:,} of {read:,} records were rejected, more than --max-rejects {said} allows.",
                "Nothing was published. See why with `sparkify rejects list`; mend the files, "
                "or allow more with --max-rejects.",
            )

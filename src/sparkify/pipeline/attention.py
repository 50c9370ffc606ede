"""What wants a look although the run is published: exit code 4, told once, by the run that meets it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from sparkify.errors import CheckError, Command, Hint
from sparkify.pipeline.checks import CheckResult
from sparkify.text import counted
from sparkify.warehouse.engine import Engine
from sparkify.warehouse.statements import statement

_NAMED = 5


class Attention(NamedTuple):
    """One thing that wants a look.

    Attributes:
        kind: What it is: the name of a check of severity warn, set_aside, or growing.
        subject: The day, the time or the file it is about.
        message: What is wrong with it.
    """

    kind: str
    subject: str
    message: str

    def __str__(self) -> str:
        """Return it as one line."""
        return f"{self.kind}: {self.subject}: {self.message}"


@dataclass(slots=True)
class Findings:
    """What a run found.

    Attributes:
        new: What no run has told before.
        known: What was told before, and is still so.
    """

    new: list[Attention] = field(default_factory=list)
    known: list[Attention] = field(default_factory=list)

    def add(self, others: Findings) -> None:
        """Add what else was found."""
        self.new += others.new
        self.known += others.known


def find_attention(engine: Engine, results: Iterable[CheckResult]) -> Findings:
    """Divide what checks of severity warn have found into what is new and what earlier runs have told."""
    found = [
        Attention(each.name, str(subject), str(message))
        for each in results
        if each.is_warning
        for subject, message in each.failing
    ]
    # Asked in any case, so that a dry run shows every statement.
    told = {tuple(row) for row in engine.execute(statement("ledger/told.sql"))}
    findings = Findings()
    for each in found:
        (findings.known if (each.kind, each.subject) in told else findings.new).append(each)
    return findings


def refuse(attention: Sequence[Attention]) -> None:
    """Raise when something wants a look: ``--strict`` publishes nothing then.

    Raises:
        CheckError: Naming some of it.
    """
    if attention:
        more = f" and {len(attention) - _NAMED:,} more" if len(attention) > _NAMED else ""
        named = "; ".join(map(str, attention[:_NAMED]))
        raise CheckError(
            f"{counted(len(attention), 'thing')} would want a look ({named}{more}).",
            Hint(
                "Nothing was published, as --strict says. Mend it and run again, or publish it with {}.",
                Command("etl"),
            ),
        )

"""Waiting for AWS to finish something: one poller, with a deadline, an injected clock and nothing else.

boto3's own waiters poll without looking: they never fail on a cluster that is gone, paused or incompatible.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sparkify.cluster.aws import Aws
from sparkify.errors import ClusterError, Command, Hint

# Seconds between looks: soon again for what is quick, then at the pace of what takes minutes.
FIRST_PAUSE = 2.0
LONGEST_PAUSE = 16.0


@dataclass(frozen=True, slots=True)
class PollSchedule:
    """How long to wait, in seconds; ``show`` is told what is still going on."""

    timeout: float = 1800
    show: Callable[[str], None] = lambda _: None


def wait(aws: Aws, look: Callable[[], str], patience: PollSchedule, *, action: str) -> None:
    """Look until there is nothing left to wait for.

    Args:
        aws: Whose clock and sleep.
        look: Returns what is still going on, empty when done; raises to give up.
        patience: For how long, and who is told.
        action: What is waited for, for the error, such as ``creating sparkify``.

    Raises:
        ClusterError: The deadline passed.
    """
    started = aws.clock()
    pause = FIRST_PAUSE
    while doing := look():
        seconds = (aws.clock() - started).total_seconds()
        if seconds + pause > patience.timeout:
            raise ClusterError(
                f"{action} is not done after {seconds / 60:.0f} minutes: {doing}.",
                Hint(
                    "AWS goes on with it. Watch it with {}, or run the same command again: it continues.",
                    Command("cluster", "status", "--wait"),
                ),
                state=doing,
                action=action,
            )
        patience.show(f"{action}: {doing} · {seconds // 60:.0f}:{seconds % 60:02.0f}")
        aws.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE)

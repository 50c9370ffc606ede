"""Wait until AWS has finished an operation: one poller with a deadline and an injected clock.

boto3's own waiters do not fail on a cluster that is deleted, paused or incompatible.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sparkify.cluster.aws import Aws
from sparkify.errors import ClusterError, Command, Hint

# Seconds between polls: short at first, for quick operations, then longer.
FIRST_PAUSE = 2.0
LONGEST_PAUSE = 16.0


@dataclass(frozen=True, slots=True)
class PollSchedule:
    """How long to wait, in seconds; ``show`` is called with the operation in progress."""

    timeout: float = 1800
    show: Callable[[str], None] = lambda _: None


def wait(aws: Aws, look: Callable[[], str], patience: PollSchedule, *, action: str) -> None:
    """Poll until an operation is done.

    Args:
        aws: Provides clock and sleep.
        look: Returns the state of the operation, empty when it is done; raises to give up.
        patience: The deadline, and the function that shows progress.
        action: The operation's name for the error, such as ``creating sparkify``.

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

"""What a run tells of itself while it works."""

from __future__ import annotations

from typing import Protocol


class ShowProgress(Protocol):
    """Something that wants to know how far a run is; sizes in bytes."""

    def expect(self, *, files: int, size: int) -> None:
        """Be told how much there is to do."""

    def __call__(
        self, *, files: int = 0, rows: int = 0, size: int = 0, reading: int = 0, label: str | None = None
    ) -> None:
        """Be told what was just done, how many bytes are being read from now on, or what is begun."""

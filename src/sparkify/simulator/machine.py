"""The state machine of a session, compiled to arrays that thousands of listeners step through at once.

A state is a page in a *group*: the listener's level (free or paid), and whether logged in. The order of the
groups is fixed: free, paid, and the same two when logged out; then guests, who are free, and those who have
cancelled. An odd number is paid.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sparkify.simulator.config import Parameters
from sparkify.simulator.draws import TABLE, Bits, choices, middle_bits

FREE, PAID, OUT_FREE, OUT_PAID, GUEST, _, CANCELLED_FREE, CANCELLED_PAID = range(8)
_AUTH = ("Logged In", "Logged Out", "Guest", "Cancelled")
NEXT_SONG = "NextSong"
_REGISTER, _SUBMIT = "Register", "Submit Registration"
_CANCEL, _CONFIRMATION = "Cancel", "Cancellation Confirmation"
# With reasons to leave: the way in and the way out, which no configuration changes.
_FIXED = {_REGISTER: {_SUBMIT: 1.0}, _SUBMIT: {"Home": 1.0}, _CANCEL: {_CONFIRMATION: 1.0}, _CONFIRMATION: {}}
_FIXED_STATES = (
    (GUEST, _REGISTER),
    (GUEST, _SUBMIT),
    (CANCELLED_FREE, _CONFIRMATION),
    (CANCELLED_PAID, _CONFIRMATION),
)
# Traits of a state: the lowest three bits are its group.
GROUP, SINGS, REDIRECTS, ENDS, LAST = 7, 8, 16, 32, 64


@dataclass(frozen=True, slots=True)
class State:
    """One state, as a log line shows it."""

    page: str
    group: int
    method: str
    status: int

    @property
    def level(self) -> str:
        """``free`` or ``paid``, of the listener, logged in or not."""
        return "paid" if self.group & PAID else "free"

    @property
    def auth(self) -> str:
        """The log's word for being logged in or out."""
        return _AUTH[self.group >> 1]


@dataclass(frozen=True, slots=True)
class Machine:
    """The compiled machine; arrays are by state unless said otherwise.

    Attributes:
        states: What each number means. The two numbers after the last are the beginning of a session of a
            free and of a paid listener, the one after those its end.
        followers: Row after row, the quantiles of the next state: 65,536 places for each state and beginning.
        traits: What a step has to know of a state, as bits: its :data:`GROUP` (of a beginning: the level),
            and whether it :data:`SINGS` (plays a song), :data:`REDIRECTS` (it follows at once), :data:`ENDS`
            the session or is the :data:`LAST` of the listener's.
        register: The number of a guest's first page; -1 where there are no guests.
        cancel: The number of Cancel of a free and of a paid listener; empty where nobody cancels.
    """

    states: tuple[State, ...]
    followers: npt.NDArray[np.int8 | np.int16]
    traits: npt.NDArray[np.uint8]
    register: int
    cancel: npt.NDArray[np.int16]

    @property
    def begin(self) -> int:
        """The number of a free listener's beginning; a paid one's is the next."""
        return len(self.states)

    @property
    def end(self) -> int:
        """The number of the end of a session."""
        return len(self.states) + 2

    def step(self, state: npt.NDArray[np.int16], bits: Bits) -> npt.NDArray[np.int16]:
        """Return the next state of each, given random bits for each."""
        found = self.followers[state * np.int64(TABLE) + middle_bits(bits)]
        following: npt.NDArray[np.int16] = found.astype(np.int16)
        return following


def compile_machine(parameters: Parameters) -> Machine:
    """Number the states and lay out the rows of probabilities (validated by :mod:`config`)."""
    pages = parameters.pages
    seen = [(group, page) for group in (FREE, PAID, OUT_FREE, OUT_PAID) for page in pages]
    leaving = parameters.leaving is not None
    if leaving:
        seen += _FIXED_STATES
    states = tuple(State(page, group, pages[page].method, pages[page].status) for group, page in seen)
    number = {(state.group, state.page): index for index, state in enumerate(states)}
    end = len(states) + 2
    rows = [*_rows(parameters, states, number), *_beginnings(parameters, number)]
    # The smallest type that fits: access is random, and a smaller table stays in the processor's cache.
    followers = np.empty((len(rows), TABLE), np.int8 if end < 128 else np.int16)
    for places, row in zip(followers, rows, strict=True):
        sums = np.cumsum([0.0, *row.values()])[1:]
        # The last stands for what is missing to 1, and takes rounding with it.
        missing = not row or sums[-1] < 1 - 1e-9
        targets = np.array([*row, end if missing else list(row)[-1]], followers.dtype)
        places[:] = choices(sums, TABLE, targets)
    return Machine(
        states=states,
        followers=followers.ravel(),
        traits=np.array([*(_traits(state, leaving=leaving) for state in states), FREE, PAID, ENDS], np.uint8),
        register=number[GUEST, _REGISTER] if leaving else -1,
        cancel=np.array([number[level, _CANCEL] for level in (FREE, PAID) if leaving], np.int16),
    )


def _traits(state: State, *, leaving: bool) -> int:
    if state.group in (CANCELLED_FREE, CANCELLED_PAID):
        return state.group + REDIRECTS + LAST
    # Who leaves takes a moment to: Cancel does not follow at once.
    at_once = 300 <= state.status < 400 and not (leaving and state.page == _CANCEL)
    return state.group + SINGS * (state.page == NEXT_SONG) + REDIRECTS * at_once


def _rows(
    parameters: Parameters, states: tuple[State, ...], number: Mapping[tuple[int, str], int]
) -> list[dict[int, float]]:
    rows = []
    for state in states:
        machine = parameters.transitions["out" if state.group >= OUT_FREE else state.level]
        if parameters.leaving is not None:
            machine = {**machine, **_FIXED}
        group = _group_after(state, leaving=parameters.leaving is not None)
        rows.append({number[group, page]: chance for page, chance in machine.get(state.page, {}).items()})
    return rows


def _group_after(state: State, *, leaving: bool) -> int:
    """Return the group the followers of a state are in: logging in or out and changing level move it."""
    if state.group == GUEST and state.page == _SUBMIT:
        return FREE
    if leaving and state.group < OUT_FREE and state.page == _CANCEL:
        return state.group + CANCELLED_FREE
    moved = {
        "Logout": state.group + OUT_FREE,
        "Login": state.group - OUT_FREE,
        "Submit Upgrade": PAID,
        "Submit Downgrade": FREE,
    }
    inside = state.group < OUT_FREE
    if state.page in moved and inside != (state.page == "Login"):
        return moved[state.page]
    return state.group


def _beginnings(parameters: Parameters, number: Mapping[tuple[int, str], int]) -> list[dict[int, float]]:
    rows = []
    for level, name in ((FREE, "free"), (PAID, "paid")):
        row = {}
        for key, chance in parameters.first[name].items():
            page = key.removeprefix("out ")
            row[number[level + (OUT_FREE if page != key else 0), page]] = chance
        rows.append(row)
    return rows

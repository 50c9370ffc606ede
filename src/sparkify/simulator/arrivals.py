"""Session starts: a Poisson process whose rate depends on the hour, the weekday and the holidays.

Time is transformed instead of thinned: with Λ the integral of the rate, Λ(next) = Λ(now) + an exponential
number. Λ is piecewise linear by the hour, so that both directions are one interpolation.
"""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np

from sparkify.simulator.config import Sessions
from sparkify.simulator.draws import Floats, Integers

DAY = 86_400_000
HOUR = 3_600_000
NEVER = np.int64(2**62)


class Arrivals:
    """The clock of session starts: ``days`` days from midnight (UTC) of ``start``; times in ms from then."""

    def __init__(self, sessions: Sessions, start: date, days: int) -> None:
        profile = np.array(sessions.hours) * 24 / sum(sessions.hours)
        weekdays = np.array(sessions.weekdays) * 7 / sum(sessions.weekdays)
        factors = np.empty(days)
        for index in range(days):
            day = start + timedelta(days=index)
            holiday = day.isoformat() in sessions.holidays or day.strftime("%m-%d") in sessions.holidays
            factors[index] = weekdays[day.weekday()] * (sessions.holiday_factor if holiday else 1.0)
        hourly = (factors[:, None] * profile[None, :]).ravel() / 24
        self._edges = np.arange(days * 24 + 1, dtype=np.float64) * HOUR
        # In days of average frequency: an amount of it is a number of sessions divided by sessions per day.
        self._effective = np.concatenate([[0.0], np.cumsum(hourly)])

    def after(self, now: Integers, amount: Floats) -> Integers:
        """Return when ``amount`` (in average days) has passed since ``now``; NEVER if the days end before."""
        target = np.interp(now, self._edges, self._effective) + amount
        found = np.interp(target, self._effective, self._edges).astype(np.int64)
        return np.where(target < self._effective[-1], found, NEVER)

"""The simulator's parameters: ``default.toml``, ``churn.toml`` if wanted, a user's file; validated."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from importlib import resources
from pathlib import Path
from typing import Any

from sparkify.errors import Command, ConfigError, Hint

_GROUPS = {"transitions": ("free", "paid", "out"), "first": ("free", "paid")}


@dataclass(frozen=True, slots=True)
class Page:
    """The HTTP method and status of a page."""

    method: str
    status: int


@dataclass(frozen=True, slots=True)
class Sessions:
    """When sessions begin; see ``default.toml`` for every key's meaning and unit."""

    per_day: float
    spread: float
    minimum_gap_minutes: float
    hours: tuple[float, ...]
    weekdays: tuple[float, ...]
    holidays: tuple[str, ...]
    holiday_factor: float


@dataclass(frozen=True, slots=True)
class Gaps:
    """Time between events of a session, in seconds."""

    log_mean: float
    log_deviation: float
    redirect_seconds: int


@dataclass(frozen=True, slots=True)
class Users:
    """Who the listeners are."""

    first_id: int
    paid: float
    registered_days: float
    women: float
    quoted_agents: float


@dataclass(frozen=True, slots=True)
class Songs:
    """What is played."""

    exponent: float
    offset: float
    others: int
    lengths: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Dirt:
    """Rates of the defects, as shares of the lines or of the files; see ``docs/simulator.md``."""

    bad_lines: float
    duplicates: float
    duplicates_elsewhere: float
    late: float
    odd_lines: float
    odd_files: float


@dataclass(frozen=True, slots=True)
class Leaving:
    """Why and how fast listeners leave; see ``churn.toml``. ``reasons`` is by page."""

    base: float
    rarity: float
    memory: float
    most: float
    taste: float
    reasons: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Parameters:
    """The parameters of a simulation that are not options of the command."""

    sessions: Sessions
    gaps: Gaps
    users: Users
    songs: Songs
    dirt: Dirt
    pages: Mapping[str, Page]
    first: Mapping[str, Mapping[str, float]]
    transitions: Mapping[str, Mapping[str, Mapping[str, float]]]
    leaving: Leaving | None = None


def default_text(*, churn: bool = False) -> str:
    """Return the commented defaults, or what ``churn`` adds to them, as ``--print-config`` shows them."""
    name = "churn.toml" if churn else "default.toml"
    return resources.files("sparkify.simulator").joinpath(name).read_text(encoding="utf-8")


def load_parameters(path: Path | None = None, *, churn: bool = False) -> Parameters:
    """Return the defaults, with reasons to leave if ``churn``, changed by the TOML file at ``path``.

    Raises:
        ConfigError: The file is missing or malformed, a key is unknown, or a value is invalid (a negative
            rate, probabilities of a row that exceed 1, an undefined page).
    """
    values = tomllib.loads(default_text())
    where = "the defaults"
    if churn:
        added = tomllib.loads(default_text(churn=True))
        values |= {name: added[name] for name in _OF_CHURN}
        _merge(values, added, where)
    if path is not None:
        where = str(path)
        _merge(values, _read(path), where)
    sections: dict[str, Any] = {}
    for name, kind in _SECTIONS.items():
        table = values[name]
        sections[name] = kind(
            **{f.name: _value(f.type, table[f.name], name, f.name, where) for f in fields(kind)}
        )
    pages = {name: _page(name, served, where) for name, served in values["pages"].items()}
    leaving = _leaving(values, pages, where) if churn else None
    parameters = Parameters(
        **sections,
        pages=pages,
        first=values["first"],
        transitions=values["transitions"],
        leaving=leaving,
    )
    _check_values(parameters, where)
    _check_machine(parameters, where)
    return parameters


_SECTIONS: Mapping[str, type] = {
    "sessions": Sessions,
    "gaps": Gaps,
    "users": Users,
    "songs": Songs,
    "dirt": Dirt,
}


_OF_CHURN = ("churn", "reasons")


def _leaving(values: Mapping[str, Any], pages: Mapping[str, Page], where: str) -> Leaving:
    numbers = {
        name: _value("float", values["churn"][name], "churn", name, where)
        for name in ("base", "rarity", "memory", "most", "taste")
    }
    reasons = {}
    for page, weight in values["reasons"].items():
        if page not in pages:
            raise _bad(where, f'reasons."{page}"', "is a page nobody defined", "Add it to [pages].")
        reasons[page] = _value("float", weight, "reasons", f'"{page}"', where)
        if not -10 <= reasons[page] <= 10:
            raise _bad(where, f'reasons."{page}"', f"is {weight}", "Make it between -10 and 10.")
    return Leaving(**numbers, reasons=reasons)


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as exc:
        raise ConfigError(
            f"the simulator's configuration {path} cannot be read: {exc.strerror}.",
            Hint("Write one with {}, whose output is such a file.", Command("simulate", "--print-config")),
        ) from exc
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise ConfigError(
            f"{path} is not valid TOML: {exc}.",
            Hint("Compare it with {}.", Command("simulate", "--print-config")),
        ) from exc


def _merge(values: dict[str, Any], given: Mapping[str, Any], where: str) -> None:
    for section, table in given.items():
        if section not in values:
            if section in _OF_CHURN:
                raise _bad(where, section, "belongs to --churn", "Say --churn too, or leave it out.")
            raise _bad(where, section, "is not a section", f"The sections are {', '.join(values)}.")
        if not isinstance(table, dict):
            raise _bad(where, section, "is not a table", f"Write [{section}] and its keys below.")
        if section in _GROUPS:
            _merge_rows(values[section], section, table, where)
            continue
        unknown = set(table) - set(values[section]) if section not in ("pages", "reasons") else set()
        for key in sorted(unknown):
            known = ", ".join(values[section])
            raise _bad(where, f"{section}.{key}", "is not known", f"Known are {known}.")
        values[section].update(table)


def _merge_rows(values: dict[str, Any], section: str, given: Mapping[str, Any], where: str) -> None:
    for group, rows in given.items():
        if group not in _GROUPS[section] or not isinstance(rows, dict):
            groups = ", ".join(_GROUPS[section])
            raise _bad(where, f"{section}.{group}", "is not a table of it", f"Tables are {groups}.")
        # The first pages are one row, which is replaced as a whole.
        values[group] = rows if section == "first" else values[group] | rows


def _value(kind: Any, value: Any, section: str, key: str, where: str) -> Any:
    """Return the value converted to the field's type, a string since annotations are not evaluated."""
    name = f"{section}.{key}"
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if kind == "int" and number and value == int(value):
        return int(value)
    if kind == "float" and number:
        return float(value)
    if kind == "tuple[float, ...]" and isinstance(value, list):
        return tuple(_value("float", item, section, key, where) for item in value)
    if kind == "tuple[str, ...]" and isinstance(value, list) and all(isinstance(v, str) for v in value):
        return tuple(value)
    raise _bad(where, name, f"is {value!r}", f"It has to be {_EXPECTED[kind]}.")


_EXPECTED = {
    "int": "a whole number",
    "float": "a number",
    "tuple[float, ...]": "a list of numbers",
    "tuple[str, ...]": "a list of texts",
}


def _page(name: str, served: Any, where: str) -> Page:
    if not isinstance(served, dict) or set(served) != {"method", "status"}:
        raise _bad(where, f'pages."{name}"', f"is {served!r}", 'Write { method = "GET", status = 200 }.')
    status = served["status"]
    if not isinstance(status, int) or not 100 <= status <= 599 or not isinstance(served["method"], str):
        raise _bad(where, f'pages."{name}"', f"is {served!r}", "The status is an HTTP status, 100 to 599.")
    return Page(served["method"], status)


def _check_values(parameters: Parameters, where: str) -> None:
    sessions, gaps, users, songs = parameters.sessions, parameters.gaps, parameters.users, parameters.songs
    date = r"(\d{4}-)?(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])"
    hours, lengths = sessions.hours, songs.lengths
    weekdays = sessions.weekdays
    dirt = parameters.dirt
    rates = {f"dirt.{f.name}": getattr(dirt, f.name) for f in fields(dirt)}
    rules: list[tuple[str, bool, str]] = [
        ("sessions.per_day", 0 < sessions.per_day <= 48, "more than 0 and at most 48"),
        ("sessions.spread", 0 <= sessions.spread <= 3, "between 0 and 3"),
        ("sessions.minimum_gap_minutes", 0 <= sessions.minimum_gap_minutes <= 1440, "between 0 and 1440"),
        ("sessions.hours", len(hours) == 24 and min(hours) > 0, "24 numbers greater than 0"),
        ("sessions.weekdays", len(weekdays) == 7 and min(weekdays) > 0, "7 numbers greater than 0"),
        (
            "sessions.holidays",
            all(re.fullmatch(date, day) for day in sessions.holidays),
            'days such as "12-25" or "2018-11-22"',
        ),
        ("sessions.holiday_factor", 0 < sessions.holiday_factor <= 10, "more than 0 and at most 10"),
        ("gaps.log_mean", -5 <= gaps.log_mean <= 10, "between -5 and 10"),
        ("gaps.log_deviation", 0 <= gaps.log_deviation <= 3, "between 0 and 3"),
        ("gaps.redirect_seconds", 0 <= gaps.redirect_seconds <= 3600, "between 0 and 3600"),
        ("users.first_id", 0 <= users.first_id < 2**53, "a whole number, 0 or more"),
        ("users.paid", 0 <= users.paid <= 1, "a share between 0 and 1"),
        ("users.registered_days", 0 <= users.registered_days <= 36500, "between 0 and 36500"),
        ("users.women", 0 <= users.women <= 1, "a share between 0 and 1"),
        ("users.quoted_agents", 0 <= users.quoted_agents <= 1, "a share between 0 and 1"),
        ("songs.exponent", 0 <= songs.exponent <= 5, "between 0 and 5"),
        ("songs.offset", 0 <= songs.offset <= 1e9, "0 or more"),
        ("songs.others", 1 <= songs.others <= 5_000_000, "between 1 and 5,000,000"),
        (
            "songs.lengths",
            len(lengths) >= 2 and min(lengths) >= 1 and list(lengths) == sorted(lengths),
            "at least two lengths of 1 second or more, rising",
        ),
        *((name, 0 <= rate <= 0.5, "a share between 0 and 0.5") for name, rate in rates.items()),
    ]
    for name, good, expected in rules:
        if not good:
            section, _, key = name.partition(".")
            raise _bad(
                where, name, f"is {getattr(getattr(parameters, section), key)}", f"Make it {expected}."
            )
    if parameters.leaving is not None:
        _check_leaving(parameters.leaving, where)


def _check_leaving(leaving: Leaving, where: str) -> None:
    bounds = {"base": (0, 1), "rarity": (0, 3), "memory": (0, 1), "most": (0, 10), "taste": (0, 1000)}
    for name, (least, most) in bounds.items():
        value = getattr(leaving, name)
        if not least <= value <= most:
            raise _bad(where, f"churn.{name}", f"is {value}", f"Make it between {least} and {most}.")


def _check_machine(parameters: Parameters, where: str) -> None:
    rows = {
        f'transitions.{group}."{page}"': row
        for group, machine in parameters.transitions.items()
        for page, row in machine.items()
    }
    for name, row in rows.items():
        _check_row(name, row, parameters, where, prefix="")
        page = name.split('"')[1]
        if page not in parameters.pages:
            raise _bad(where, name, "is a page nobody defined", "Add it to [pages].")
    for group, row in parameters.first.items():
        _check_row(f"first.{group}", row, parameters, where, prefix="out ")
        if not row or abs(sum(row.values()) - 1) > 1e-6:
            total = sum(row.values())
            raise _bad(
                where, f"first.{group}", f"sums to {total:.6g}", "A session has a first page: make it 1."
            )
    if "NextSong" not in parameters.pages:
        raise _bad(where, "pages", "lacks NextSong", "Songs are played on that page.")
    outside = [f'transitions.out."{page}"' for page in parameters.transitions["out"] if page == "NextSong"]
    followed = [
        name for name, row in rows.items() if name.startswith("transitions.out.") and "NextSong" in row
    ]
    for name in outside + followed:
        if "Login" not in name:
            raise _bad(where, name, "plays a song logged out", "Lead through Login first.")


def _check_row(name: str, row: Any, parameters: Parameters, where: str, *, prefix: str) -> None:
    if not isinstance(row, dict):
        raise _bad(where, name, f"is {row!r}", 'Write { "Home" = 0.5, "NextSong" = 0.2 }.')
    for page, chance in row.items():
        if page.removeprefix(prefix) not in parameters.pages:
            raise _bad(where, name, f"leads to {page!r}, a page nobody defined", "Add it to [pages].")
        if page == "out NextSong":
            raise _bad(where, name, "plays a song logged out", "Lead through Login first.")
        if not isinstance(chance, int | float) or isinstance(chance, bool) or not 0 <= chance <= 1:
            raise _bad(where, name, f"gives {page!r} {chance!r}", "A probability is between 0 and 1.")
    total = sum(row.values())
    if total > 1 + 1e-9:
        raise _bad(where, name, f"has probabilities that sum to {total:.6g}", "Make them at most 1.")


def _bad(where: str, name: str, what: str, hint: str) -> ConfigError:
    return ConfigError(f"{where}: {name} {what}.", hint)

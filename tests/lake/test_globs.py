"""Globs over the names of files: what shells make of them, never across a slash but for `**`."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparkify.lake.globs import Glob, is_glob, uri_of

DAY = "s3://lake/log_data/2018/11/2018-11-01-events.json"


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ("s3://lake/log_data/2018/11/*", True),
        ("s3://lake/log_data/2018/11/2018-11-0[1-9]-events.json", True),
        ("s3://lake/log_data/2018/11/2018-11-0[!2-9]-*", True),
        ("s3://lake/log_data/2018/11/2018-11-0[^2-9]-*", True),
        ("s3://lake/log_data/2018/11/2018-11-??-events.json", True),
        ("s3://lake/log_data/*/*/*.json", True),
        ("s3://lake/**/*-01-*", True),
        ("s3://lake/**", True),
        ("s3://lake/**/11/**", True),
        ("s3://lake/log_data/**/2018/**/11/**/2018-11-01-events.json", True),
        ("s3://*/log_data/**", True),
        ("s3://lake/log_data/2018/*", False),  # a star ends at a slash
        ("s3://lake/log_data/*.json", False),
        ("s3://lake/log_data/2018/11?2018-11-01-events.json", False),
        ("s3://lake/log_data/2018/11[!x]2018-11-01-events.json", False),
        ("s3://lake/log**", False),  # no folders, but what a star is
        ("s3://lake/log_data/2018/11/*.JSON", False),
        ("s3://lake/log_data/2018/1[01", False),
        ("s3://other/**", False),
        ("/**", False),
        ("**", False),
        (f"{DAY}/**", False),
    ],
)
def test_what_a_pattern_is_for(text: str, matches: bool):
    glob = Glob(text)
    assert glob.matches(DAY) is matches
    assert DAY.startswith(glob.prefix) or not matches


def test_a_path_is_from_here_and_the_folder_above_it_is_no_pattern(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    here = tmp_path / "a[b]*" / "inner"
    here.mkdir(parents=True)
    monkeypatch.chdir(here)
    monkeypatch.setenv("HOME", str(here))
    for text in (
        "../inner/./*.json",
        "*.json",
        f"{here}/..//inner/*.json".replace("a[b]*", "a[[]b][*]"),
        "~/*",
    ):
        glob = Glob(text)
        assert glob.matches(str(here / "1.json")), text
        assert not glob.matches(str(tmp_path / "ab" / "inner" / "1.json")), text
    assert Glob("*.json").prefix == f"{here}/"
    assert Glob("2018-*").prefix == f"{here}/2018-"
    assert (
        uri_of("../inner/1.json") == uri_of("~/1.json") == uri_of(f"/{here}/1.json") == str(here / "1.json")
    )


def test_which_names_are_patterns():
    assert [name for name in ("a", "a*", "a?", "a[1]", "a]", "a{b,c}", "**") if is_glob(name)] == [
        "a*",
        "a?",
        "a[1]",
        "**",
    ]


def fits(names: list[str], parts: list[str]) -> bool:
    """The same by its definition: every way to share the folders out is tried."""
    if not parts:
        return not names
    if parts[0] == "**" and len(parts) > 1:
        return fits(names, parts[1:]) or (bool(names) and fits(names[1:], parts))
    if parts[0] == "**":
        return bool(names)
    return bool(names) and fits_name(names[0], parts[0]) and fits(names[1:], parts[1:])


def fits_name(name: str, part: str) -> bool:
    if not part:
        return not name
    if part[0] == "*":
        return fits_name(name, part[1:]) or (bool(name) and fits_name(name[1:], part))
    return bool(name) and part[0] in ("?", name[0]) and fits_name(name[1:], part[1:])


@given(
    st.lists(st.text("ab.", min_size=1, max_size=3), min_size=1, max_size=5),
    st.lists(st.text("ab.*?", min_size=1, max_size=3) | st.just("**"), min_size=1, max_size=5),
)
def test_a_pattern_matches_what_its_definition_says(names: list[str], parts: list[str]):
    glob, uri = Glob("s3://lake/" + "/".join(parts)), "s3://lake/" + "/".join(names)
    assert glob.matches(uri) == fits(names, parts)
    assert uri.startswith(glob.prefix) or not glob.matches(uri)

"""Writing a value changes that value's line and nothing else in dwh.cfg."""

from __future__ import annotations

import configparser
import os
import stat
from pathlib import Path

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparkify.errors import ConfigError
from sparkify.settings import load_settings, template
from sparkify.settings.keys import key_of
from sparkify.settings.writing import with_values, write_values

HOST = ("CLUSTER", "HOST")
NEW = "dwh.abc.us-west-2.redshift.amazonaws.com"


def parsed(text: str) -> dict[tuple[str, str], str]:
    """Every key, as the standard library reads the file: the oracle."""
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(text)
    return {
        (section.upper(), key.upper()): value
        for section in parser.sections()
        for key, value in parser.items(section)
    }


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("[CLUSTER]\nHOST=''\nDB_PORT=5439\n", f"[CLUSTER]\nHOST='{NEW}'\nDB_PORT=5439\n"),
        ('[CLUSTER]\nhost : "old"  \n', f'[CLUSTER]\nhost : "{NEW}"\n'),
        ("[cluster]\r\nHOST = old\r\n; x\r\n", f"[cluster]\r\nHOST = {NEW}\r\n; x\r\n"),
        ("[CLUSTER]\nHOST =\n# c\n", f"[CLUSTER]\nHOST = {NEW}\n# c\n"),
        ("[CLUSTER]\nHOST = old\n  more\n[S3]\n", f"[CLUSTER]\nHOST = {NEW}\n[S3]\n"),
        ("[CLUSTER]\nDB_PORT = 1\n\n# next\n[S3]", f"[CLUSTER]\nDB_PORT = 1\n\n# next\nHOST = {NEW}\n[S3]"),
        ("[S3]\nLOG_DATA = x", f"[S3]\nLOG_DATA = x\n\n[CLUSTER]\nHOST = {NEW}\n"),
        ("  [CLUSTER]\n  HOST = old\n  DB_PORT = 1\n", f"  [CLUSTER]\n  HOST = {NEW}\n  DB_PORT = 1\n"),
        ("[CLUSTER]\n[cluster]\nHOST=old\n", f"[CLUSTER]\n[cluster]\nHOST={NEW}\n"),
        ("", f"[CLUSTER]\nHOST = {NEW}\n"),
        ("# HOST = x\n[S3]\nHOSTS = mine\n", f"# HOST = x\n[S3]\nHOSTS = mine\n\n[CLUSTER]\nHOST = {NEW}\n"),
        ("[S3]\nHOST = old # theirs\n", f"[S3]\nHOST = {NEW}\n"),
        ("[CLUSTER]\nHOST = a\n[cluster]\nHOST = b\n", f"[CLUSTER]\nHOST = {NEW}\n[cluster]\nHOST = {NEW}\n"),
    ],
)
def test_only_the_lines_concerned_change(before, after):
    assert with_values(before, {HOST: NEW}) == after


names = st.sampled_from(["HOST", "DB_NAME", "DB_PASSWORD", "ARN", "KEY", "x y"])
line = st.one_of(
    st.builds(
        "{}{}{}{}".format,
        names,
        st.sampled_from([" = ", "=", ": ", " =", "   :\t"]),
        st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=12),
        st.sampled_from(["", "\n  continued", "\n\t; not a comment? it is", "\n\n  after a blank"]),
    ),
    st.sampled_from(["", "# HOST = comment", "; note", "   "]),
)
section = st.builds(
    lambda name, lines: "\n".join([f"[{name}]", *lines]),
    st.sampled_from(["CLUSTER", "cluster", "IAM_ROLE", "S3"]),
    st.lists(line, max_size=6),
)


@hypothesis.settings(deadline=None)
@given(st.lists(section, max_size=4), st.sampled_from(["\n", ""]), st.sampled_from([NEW, ""]))
def test_any_file_reads_back_with_the_value_and_all_others_as_they_were(sections, end, value):
    text = "\n".join(sections) + end
    try:
        before = parsed(text)
    except configparser.Error:
        return  # not a file that settings would have read either
    written = with_values(text, {HOST: value, ("IAM_ROLE", "ARN"): "arn"})
    after = parsed(written)

    def plain(values: dict[tuple[str, str], str]) -> dict[tuple[str, str], str]:
        # A continued value also holds the blank lines behind it; a line added there takes none of them.
        return {key: text.strip() for key, text in values.items() if key_of(*key) not in set_to}

    set_to = {"CLUSTER.HOST": value, "IAM_ROLE.ARN": "arn"}
    assert plain(after) == plain(before)
    for key, expected in set_to.items():
        places = [text.strip("'\"") for place, text in after.items() if key_of(*place) == key]
        assert places
        assert set(places) == {expected}
    comments = [line for line in text.split("\n") if line.startswith(("#", ";"))]
    assert [line for line in written.split("\n") if line.startswith(("#", ";"))] == comments
    assert with_values(written, {HOST: value}) == written


def test_our_own_template_takes_the_values_settings_reads(tmp_path: Path):
    path = tmp_path / "dwh.cfg"
    path.write_text(template(), encoding="utf-8")
    write_values(path, {HOST: NEW, ("IAM_ROLE", "ARN"): "arn:aws:iam::1:role/x"})
    settings = load_settings(path)
    assert (settings.cluster.host, settings.iam_role.arn) == (NEW, "arn:aws:iam::1:role/x")
    changed = set(path.read_text().splitlines()) ^ set(template().splitlines())
    assert len(changed) == 4


def test_a_new_file_is_its_owners_and_an_old_one_keeps_its_mode(tmp_path: Path):
    new, old = tmp_path / "new.cfg", tmp_path / "old.cfg"
    old.write_text("[CLUSTER]\n")
    old.chmod(0o640)
    for path in (new, old):
        write_values(path, {HOST: NEW})
    assert stat.S_IMODE(new.stat().st_mode) == 0o600
    assert stat.S_IMODE(old.stat().st_mode) == 0o640


def test_a_link_is_followed_and_stays_a_link(tmp_path: Path):
    real, link = tmp_path / "real.cfg", tmp_path / "dwh.cfg"
    real.write_text("[CLUSTER]\nHOST=x\n")
    link.symlink_to(real)
    write_values(link, {HOST: NEW})
    assert link.is_symlink()
    assert parsed(real.read_text())[HOST] == NEW


def test_what_cannot_be_written_is_said_with_the_values(tmp_path: Path):
    with pytest.raises(ConfigError) as caught:
        write_values(tmp_path / "no" / "dwh.cfg", {HOST: NEW})
    assert NEW in caught.value.hint
    assert os.listdir(tmp_path) == []  # noqa: PTH208

"""dwh.cfg as people publish it: other names for our keys, and mistakes of the format told with their line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sparkify.errors import ConfigError
from sparkify.settings import KEYS, Settings, load_settings
from sparkify.settings.keys import key_of
from sparkify.settings.writing import write_values

CANARY = "Canary-Passw0rd-4711"
Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def config(text: str) -> Path:
        path = tmp_path / "dwh.cfg"
        path.write_text(text, encoding="utf-8")
        return path

    return config


# Layouts as they are published, with values of our own; what each means.
PUBLISHED: dict[str, tuple[str, dict[str, object]]] = {
    "all in DWH": (
        (
            "[AWS]\nKEY=\nSECRET=\n[DWH] \nDWH_CLUSTER_TYPE=multi-node\nDWH_NUM_NODES=4\nDWH_DB=dwh\n"
            f"DWH_DB_USER=dwhuser\nDWH_DB_PASSWORD={CANARY}\nDWH_PORT=5440\nDWH_REGION=eu-west-1\n"
            "DWH_ENDPOINT=c.redshift.test\nDWH_ROLE_ARN=arn:aws:iam::1:role/r\n[S3]\nLOG_DATA='log'\n"
        ),
        {
            "cluster.db_name": "dwh",
            "cluster.db_user": "dwhuser",
            "cluster.db_password": CANARY,
            "cluster.db_port": 5440,
            "cluster.host": "c.redshift.test",
            "aws.region": "eu-west-1",
            "iam_role.arn": "arn:aws:iam::1:role/r",
            "dwh.engine": "redshift",
        },
    ),
    "the cluster holds all": (
        (
            "[CLUSTER]\nHOST=\nDB_NAME=dwh\nDWH_CLUSTER_TYPE=multi-node\nDWH_NUM_NODES=4\n"
            "DWH_NODE_TYPE=dc2.large\nDWH_CLUSTER_IDENTIFIER=dwhCluster\n[IAM_ROLE]\nARN=\n"
            "DWH_IAM_ROLE_NAME=dwhRole\n[AWS]\nKEY=\nSECRET=\nSESSION_TOKEN=\n"
        ),
        {
            "dwh.dwh_num_nodes": 4,
            "dwh.dwh_node_type": "dc2.large",
            "dwh.dwh_cluster_identifier": "dwhCluster",
            "dwh.dwh_iam_role_name": "dwhRole",
            "dwh.engine": "duckdb",
        },
    ),
    "the region in the cluster": ("[CLUSTER]\nREGION=eu-west-1\n", {"aws.region": "eu-west-1"}),
    "the region in its section": ("[Region]\nREGION='eu-west-1'\n", {"aws.region": "eu-west-1"}),
    "the region's name": ("[AWS]\nREGION_NAME=eu-west-1\n", {"aws.region": "eu-west-1"}),
    "the zone": ("[CLUSTER]\nDB_ZONE=eu-west-1\n", {"aws.region": "eu-west-1"}),
    "the region of the bucket": (
        "[S3]\nREGION=eu-west-1\n",
        {"aws.region": "", "aws.bucket_region": "eu-west-1", "s3.region": "eu-west-1"},
    ),
    "credentials": (
        f"[CREDENTIALS]\nKEY='AKIAX'\nSECRET='{CANARY}'\n",
        {"aws.key": "AKIAX", "aws.secret": CANARY},
    ),
    "as the AWS variables": (
        f"[AWS]\nAWS_ACCESS_KEY_ID=ASIAX\nAWS_SECRET_ACCESS_KEY={CANARY}\nAWS_SESSION_TOKEN=t\n",
        {"aws.key": "ASIAX", "aws.secret": CANARY, "aws.session_token": "t"},
    ),
    "roles": (
        "[ARN]\nARN_ROLE=arn:aws:iam::1:role/r\n[IAM]\nROLE_NAME=reader\n",
        {"iam_role.arn": "arn:aws:iam::1:role/r", "dwh.dwh_iam_role_name": "reader"},
    ),
    "the cluster's database": ("[CLUSTER]\nDATABASE=dwh\n", {"cluster.db_name": "dwh"}),
    "the same twice": (
        "[AWS]\nREGION=eu-west-1\n[DWH]\nDWH_REGION='eu-west-1'\n",
        {"aws.region": "eu-west-1"},
    ),
    "one of two is empty": ("[CLUSTER]\nHOST=''\n[DWH]\nDWH_ENDPOINT=c.test\n", {"cluster.host": "c.test"}),
}


def value_at(settings: Settings, name: str) -> object:
    section, _, key = name.partition(".")
    return getattr(getattr(settings, section), key)


@pytest.mark.parametrize("layout", PUBLISHED)
def test_a_published_layout_is_read_for_what_it_means(write: Write, layout: str) -> None:
    """Case cfg-published-layouts."""
    text, meant = PUBLISHED[layout]
    settings = load_settings(write(text))
    assert {name: value_at(settings, name) for name in meant} == meant


@pytest.mark.parametrize("layout", PUBLISHED)
def test_what_is_read_under_another_name_is_said_in_one_line(write: Write, layout: str) -> None:
    text, _ = PUBLISHED[layout]
    path = write(text)
    notice = load_settings(path).notice
    section = ""
    for line in text.splitlines():
        if line.startswith("["):
            section = line.strip("[] ").upper()
            continue
        name = line.partition("=")[0]
        ours = key_of(section, name).replace(".", "] ")
        other = f"{name} in [{section}] as [{ours}"
        assert (other in notice) == (key_of(section, name) != f"{section}.{name}")
    assert "\n" not in notice
    assert CANARY not in notice


def test_our_own_names_are_no_news(write: Write) -> None:
    lines = [f"[{key.section}]\n{key.name} =" for key in KEYS[:1]]
    assert load_settings(write("\n".join(lines))).notice == ""


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (
            "[AWS]\nREGION=a\n[DWH]\nDWH_REGION=b\n",
            ["[AWS] REGION", "line 2", "DWH_REGION in [DWH] (line 4)"],
        ),
        (
            f"[CLUSTER]\nDB_PASSWORD={CANARY}\n[DWH]\nDWH_DB_PASSWORD={CANARY}2\n",
            ["[CLUSTER] DB_PASSWORD", "line 2", "line 4"],
        ),
        ("[CLUSTER]\nHOST=a\n[cluster]\nHOST=b\n", ["[CLUSTER] HOST", "line 2", "line 4"]),
    ],
)
def test_two_values_for_one_key_are_an_error_that_names_both(
    write: Write, text: str, names: list[str]
) -> None:
    path = write(text)
    with pytest.raises(ConfigError) as caught:
        load_settings(path)
    shown = f"{caught.value.message} {caught.value.hint}"
    assert all(name in shown for name in [str(path), *names])
    assert CANARY not in shown


def test_all_that_is_unknown_is_told_at_once_with_where_it_belongs(write: Write) -> None:
    text = "[S3]\nSONG_DATAx = a\nBUCKET = b\n[DWH]\nDWH_DB=x\nDWH_SCHEMA=y\n[EC2]\nSECURITY_GROUP=z\n"
    with pytest.raises(ConfigError) as caught:
        load_settings(write(text))
    shown = f"{caught.value.message} {caught.value.hint}"
    assert "did you mean SONG_DATA in [S3]" in shown
    for place in (
        "line 2, SONG_DATAX",
        "line 3, BUCKET",
        "line 6, DWH_SCHEMA",
        "line 8, SECURITY_GROUP in [EC2]",
    ):
        assert place in shown
    assert "DWH_DB in" not in shown, "that one is known"


@pytest.mark.parametrize("name", ["DATABASE", "MODELS", "ENGINE"])
def test_a_key_of_our_own_in_another_section_is_not_guessed_at(write: Write, name: str) -> None:
    with pytest.raises(ConfigError, match=rf"{name} in \[DWH\]"):
        load_settings(write(f"[AWS]\n{name} = x\n"))


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (
            "[S3]\nLOG_DATA=log\nLOG_JSONPATH=s3://b/x.json\n   SONG_DATA=song\n",
            ["line 4", "SONG_DATA is indented", "LOG_JSONPATH", "line 3"],
        ),
        ("[S3]\nLOG_DATA=\n\n# c\n\tSONG_DATA=song\n", ["line 5", "SONG_DATA is indented", "line 2"]),
        (f"[CLUSTER]\nDB_PASSWORD=one\n  {CANARY}\n", ["line 3", "DB_PASSWORD", "one line"]),
        ("[S3]\nLOG_DATA=log\n  [CLUSTER]\n", ["line 3", "LOG_DATA", "one line"]),
        ("[DWH]\nDATABASE = w.duckdb   # the warehouse\n", ["line 2", "comment", "[DWH] DATABASE"]),
        ("[S3]\nLOG_DATA = 's3://b/x' ; ours\n", ["line 2", "comment", "[S3] LOG_DATA"]),
        ("[DWH]\nDWH_NUM_NODES = 4 # nodes\n", ["line 2", "comment", "[DWH] DWH_NUM_NODES"]),
        (f"[AWS]\nKEY = x\nSECRET = {CANARY} # mine\n", ["line 3", "comment", "[AWS] SECRET"]),
        (f"[CLUSTER]\nDB_PASSWORD = '{CANARY}' # mine\n", ["line 2", "comment", "DB_PASSWORD"]),
    ],
)
def test_a_mistake_of_the_format_is_told_with_its_line_and_what_to_do(
    write: Write, text: str, names: list[str]
) -> None:
    """Cases cfg-indented-key and database-comment: nothing vanishes into another key's value."""
    path = write(text)
    with pytest.raises(ConfigError) as caught:
        load_settings(path)
    shown = f"{caught.value.message} {caught.value.hint}"
    for name in [str(path), *names]:
        assert name in shown
    assert CANARY not in shown
    assert caught.value.hint


@pytest.mark.parametrize(
    "text",
    [
        "  [S3]\n  LOG_DATA = log\n  SONG_DATA = song\n",
        "[S3]\n\tLOG_DATA = log\n\tSONG_DATA = song\n",
        "[S3]\nLOG_DATA : log\n    # a comment may stand anywhere\n\n    ; as here\nSONG_DATA=song\n",
        "[S3] # the data\nLOG_DATA = log\n\n\n[s3]\nsong_data = song\n",
        "[ S3 ]\r\nLOG_DATA='log'\r\nSONG_DATA=\"song\"\r\n",
    ],
)
def test_what_only_looks_unusual_is_read(write: Write, text: str) -> None:
    path = write(text)
    settings = load_settings(path)
    assert (Path(settings.s3.data["log_data"]).name, Path(settings.s3.data["song_data"]).name) == (
        "log",
        "song",
    )


@pytest.mark.parametrize("value", ["a#b", "a;b", "'a #b'", '"a ;b"'])
def test_a_mark_of_a_comment_within_a_value_is_part_of_it(write: Write, value: str) -> None:
    assert Path(load_settings(write(f"[S3]\nLOG_DATA = {value}\n")).s3.data["log_data"]).name == value.strip(
        "'\""
    )


def test_a_key_is_written_back_under_the_name_it_has(write: Write) -> None:
    """Else the file would say two things after `cluster create`."""
    text = "[DWH]\nDWH_ENDPOINT='old.test'\nDWH_PORT=5439\n[IAM_ROLE]\nARN=\n"
    path = write(text)
    write_values(path, {("CLUSTER", "HOST"): "new.test", ("IAM_ROLE", "ARN"): "arn"})
    assert path.read_text() == text.replace("old.test", "new.test").replace("ARN=", "ARN=arn")
    both = write("[CLUSTER]\nHOST=old.test\n" + text)
    write_values(both, {("CLUSTER", "HOST"): "new.test"})
    assert load_settings(both).cluster.host == "new.test"
    write_values(both, {("CLUSTER", "HOST"): ""})
    assert load_settings(both).cluster.host == ""

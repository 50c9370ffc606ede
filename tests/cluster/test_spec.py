"""A cluster AWS would refuse is refused before AWS is asked, with every reason at once."""

from __future__ import annotations

import string
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparkify.cluster.spec import (
    NODE_TYPES,
    SUCCESSORS,
    aws_location,
    password_problems,
    spec_from,
)
from sparkify.errors import ConfigError
from sparkify.lake.uri import S3Location
from sparkify.settings import Secret, Settings


def changed(settings: Settings, section: str, **values: Any) -> Settings:
    given = getattr(settings, section)
    if section == "s3":
        data = {name: values.pop(name, place) for name, place in given.data.items()}
        values["data"] = data
    return replace(settings, **{section: replace(given, **values)})


def problems(settings: Settings, **options: Any) -> list[str]:
    try:
        spec_from(settings, **options)
    except ConfigError as exc:
        return exc.message.splitlines()[1:]
    return []


def test_the_missions_own_values_make_a_cluster(settings):
    spec = spec_from(settings)
    assert (spec.identifier, spec.nodes, spec.node_type, spec.port) == ("dwhcluster", 4, "ra3.large", 5439)
    assert [place.uri for place in spec.sources.read] == [
        "s3://sparkify-test/log_data",
        "s3://sparkify-test/song_data",
        "s3://sparkify-test/log_json_path.json",
        "s3://sparkify-test/staging",
    ]


@pytest.mark.parametrize("retired", SUCCESSORS)
def test_a_retired_node_type_is_named_with_its_successor(settings, retired):
    (problem,) = problems(changed(settings, "dwh", dwh_node_type=retired))
    assert retired in problem
    assert SUCCESSORS[retired] in NODE_TYPES
    assert SUCCESSORS[retired] in problem


@pytest.mark.parametrize(
    ("section", "values", "key"),
    [
        ("dwh", {"dwh_cluster_identifier": "1st"}, "DWH_CLUSTER_IDENTIFIER"),
        ("dwh", {"dwh_cluster_identifier": "a--b"}, "DWH_CLUSTER_IDENTIFIER"),
        ("dwh", {"dwh_cluster_identifier": "a-"}, "DWH_CLUSTER_IDENTIFIER"),
        ("dwh", {"dwh_cluster_identifier": "a" * 64}, "DWH_CLUSTER_IDENTIFIER"),
        ("dwh", {"dwh_node_type": "ra3.huge"}, "DWH_NODE_TYPE"),
        ("dwh", {"dwh_num_nodes": 1}, "DWH_NUM_NODES"),
        ("dwh", {"dwh_num_nodes": 17}, "DWH_NUM_NODES"),
        ("dwh", {"dwh_node_type": "ra3.4xlarge", "dwh_cluster_type": "single-node"}, "DWH_CLUSTER_TYPE"),
        ("dwh", {"dwh_iam_role_name": "a role"}, "DWH_IAM_ROLE_NAME"),
        ("cluster", {"db_name": "Dwh"}, "DB_NAME"),
        ("cluster", {"db_name": "table"}, "DB_NAME"),
        ("cluster", {"db_user": "public"}, "DB_USER"),
        ("cluster", {"db_user": "a:b"}, "DB_USER"),
        ("cluster", {"db_port": 5430}, "DB_PORT"),
        ("cluster", {"db_port": 8216}, "DB_PORT"),
        ("cluster", {"db_password": Secret("password")}, "DB_PASSWORD"),
        ("s3", {"log_data": "data/logs"}, "LOG_DATA"),
        ("s3", {"song_data": ""}, "SONG_DATA"),
        ("s3", {"staging": "s3://Upper_Case/x"}, "STAGING"),
    ],
)
def test_one_broken_rule_is_one_named_problem(settings, section, values, key):
    (problem,) = problems(changed(settings, section, **values))
    assert f"] {key} " in problem


def test_every_problem_is_told_at_once_and_no_password(settings):
    broken = changed(settings, "dwh", dwh_node_type="dc2.large", dwh_cluster_identifier="-")
    broken = changed(broken, "cluster", db_port=1, db_password=Secret("secret?"))
    found = problems(broken)
    assert len(found) == 4
    assert "secret?" not in "".join(found)


def test_single_node_is_one_node_whatever_the_number_says(settings):
    assert spec_from(changed(settings, "dwh", dwh_cluster_type="single-node")).nodes == 1


@pytest.mark.parametrize("port", [5431, 5455, 8191, 8215])
def test_the_ends_of_the_port_ranges_are_allowed(settings, port):
    assert spec_from(changed(settings, "cluster", db_port=port)).port == port


def test_an_empty_password_is_one_that_aws_keeps(settings):
    assert spec_from(changed(settings, "cluster", db_password=Secret(""))).managed_password
    assert not spec_from(settings).managed_password


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"base_rpus": 12}, "--base-rpus"),
        ({"base_rpus": 520}, "--base-rpus"),
        ({"base_rpus": 1056}, "--base-rpus"),
        ({"limit_rpu_hours": 0}, "--limit-rpu-hours"),
        ({"subnet_group": "mine"}, "--subnet-group"),
    ],
)
def test_serverless_has_rules_of_its_own(settings, options, named):
    serverless = changed(settings, "dwh", dwh_cluster_type="serverless", dwh_node_type="dc2.large")
    assert problems(serverless) == []
    (problem,) = problems(serverless, **options)
    assert named in problem


@given(st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=70))
def test_the_password_policy_is_the_one_aws_states(password):
    # Said again in other words: the set of allowed characters, and one of each kind.
    allowed = set(string.ascii_letters + string.digits + string.punctuation) - set("'\"\\/@")
    kinds = (string.ascii_uppercase, string.ascii_lowercase, string.digits)
    fine = (
        len(password) in range(8, 65)
        and set(password) <= allowed
        and all(set(password) & set(kind) for kind in kinds)
    )
    assert (password_problems(password) == []) is fine


@given(st.text(string.ascii_letters + string.digits + "!#$%&()*+,-.:;<=>?[]^_`{|}~", min_size=5, max_size=61))
def test_good_passwords_are_not_refused(middle):
    assert password_problems("aA1" + middle) == []


@pytest.mark.parametrize(
    ("uri", "place"),
    [
        ("s3://udacity-dend/log_data", S3Location("udacity-dend", "log_data")),
        ("s3://udacity-dend/song_data/A/", S3Location("udacity-dend", "song_data/A")),
        ("s3://udacity-dend", S3Location("udacity-dend", "")),
        ("s3://udacity-dend/what?#is", S3Location("udacity-dend", "what?#is")),
    ],
)
def test_a_location_is_a_bucket_and_a_prefix_without_slashes(uri, place):
    assert aws_location(uri) == place


@pytest.mark.parametrize("uri", ["s3://my_Bucket/x", "s3://b/x", "s3:///x", "here", "s3://bucket/a/../b"])
def test_a_bucket_that_aws_would_not_make_is_refused(uri):
    with pytest.raises(ConfigError):
        aws_location(uri)

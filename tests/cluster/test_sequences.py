"""What AWS does over minutes, and what we make of it: scripted answers, a clock that only sleeping moves."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sparkify.cluster import lifecycle, teardown
from sparkify.cluster.deployment import AVAILABLE, FAILED, PAUSED
from sparkify.cluster.provisioned import Provisioned
from sparkify.cluster.spec import spec_from
from sparkify.cluster.waiting import PollSchedule
from sparkify.errors import ClusterError
from tests.cluster.conftest import described

ACTION = "creating dwhcluster"
ROLE = "arn:aws:iam::123456789012:role/dwhRole"


def until_available(script, minutes: float = 30):
    deployment = Provisioned(script.aws, "dwhcluster")
    return lifecycle.wait_until_available(script.aws, deployment, PollSchedule(minutes * 60), action=ACTION)


def test_creating_is_waited_for_until_it_has_an_endpoint(script):
    script.cluster("creating", "creating", "modifying", "available")
    assert until_available(script).host == "dwhcluster.x.aws"
    assert script.clock.slept == [2, 4, 8]


def test_available_without_an_endpoint_is_not_available_yet(script):
    script.answer("redshift", "describe_clusters", {"Clusters": [described("available", Endpoint={})]})
    script.cluster("available")
    assert until_available(script).host


def test_a_state_we_have_never_heard_of_is_on_its_way(script):
    script.cluster("polishing", "available")
    assert until_available(script).state == AVAILABLE


def test_not_found_in_between_is_only_late(script):
    script.cluster("-", "-", "creating", "-", "-", "available")
    assert until_available(script).state == AVAILABLE


def test_not_found_for_long_is_gone(script):
    script.cluster("creating", "-", "-", "-")
    with pytest.raises(ClusterError) as caught:
        until_available(script)
    assert caught.value.state == "absent"


@pytest.mark.parametrize("state", sorted(FAILED | {"deleting", "final-snapshot"}))
def test_a_state_it_does_not_leave_fails_at_once(script, state):
    script.cluster("creating", state)
    with pytest.raises(ClusterError) as caught:
        until_available(script)
    assert caught.value.state == state
    assert script.clock.slept == [2]


def test_the_deadline_ends_the_wait_and_says_how_to_go_on(script):
    script.cluster(*["creating"] * 6)
    with pytest.raises(ClusterError) as caught:
        until_available(script, minutes=1)
    assert script.clock.slept == [2, 4, 8, 16, 16]
    assert "status --wait" in caught.value.hint


def test_throttling_and_an_expired_token_in_the_middle_of_a_wait(script):
    script.cluster("creating")
    script.refuse("redshift", "describe_clusters", "Throttling")
    script.cluster("creating")
    script.refuse("redshift", "describe_clusters", "ExpiredToken")
    with pytest.raises(ClusterError) as caught:
        until_available(script)
    assert "expired" in caught.value.message
    assert script.clock.slept == [2, 1, 4]


@pytest.mark.parametrize(
    ("wanted", "states"),
    [(PAUSED, ["available", "pausing", "paused"]), (AVAILABLE, ["paused", "resuming", "available"])],
)
def test_pausing_and_resuming_are_waited_for_though_the_first_answer_is_late(script, wanted, states):
    script.cluster(*states)
    deployment = Provisioned(script.aws, "dwhcluster")
    found = lifecycle.wait_for(script.aws, deployment, {wanted}, PollSchedule(), action="switching")
    assert found is not None
    assert found.state == wanted


def test_deletion_is_asked_for_once_however_late_the_answers_are(script):
    script.cluster("available")
    script.answer(
        "redshift",
        "delete_cluster",
        {"Cluster": described("available")},
        {
            "ClusterIdentifier": "dwhcluster",
            "SkipFinalClusterSnapshot": False,
            "FinalClusterSnapshotIdentifier": "final",
        },
    )
    script.cluster("available")
    script.refuse("redshift", "delete_cluster", "InvalidClusterState")
    script.cluster("final-snapshot", "deleting", "-")
    deployment = Provisioned(script.aws, "dwhcluster")
    assert [deployment.delete("final") for _ in range(5)] == [
        "available", "available", "final-snapshot", "deleting", "",
    ]  # fmt: skip


def test_a_cluster_that_cannot_be_deleted_now_is_an_error(script):
    script.cluster("modifying")
    script.refuse("redshift", "delete_cluster", "InvalidClusterState", "There is an operation running.")
    with pytest.raises(ClusterError, match="operation running"):
        Provisioned(script.aws, "dwhcluster").delete("")


def test_a_group_still_attached_is_tried_again_until_it_lets_go(script):
    from sparkify.cluster.network import Group

    group = {"GroupId": "sg-1", "GroupName": "ours", "VpcId": "vpc-1"}
    script.cluster("-")
    for _ in range(2):
        script.answer("ec2", "describe_security_groups", {"SecurityGroups": [group]})
        script.refuse("ec2", "delete_security_group", "DependencyViolation")
    script.answer("ec2", "describe_security_groups", {"SecurityGroups": [group]})
    script.answer("ec2", "delete_security_group", {"Return": True})
    script.answer("ec2", "describe_security_groups", {"SecurityGroups": []})
    found = teardown.Remains(None, None, (Group("sg-1", "ours", "vpc-1"),), (), ())
    deployment = Provisioned(script.aws, "dwhcluster")
    assert teardown.destroy(script.aws, deployment, found, final_snapshot="", patience=PollSchedule()) == []


@pytest.mark.parametrize("state", ["deleting", "paused", "incompatible-network"])
def test_create_does_not_start_over_what_is_in_its_way(script, settings, state):
    script.cluster(state)
    deployment = Provisioned(script.aws, "dwhcluster")
    with pytest.raises(ClusterError) as caught:
        lifecycle.plan_creation(script.aws, deployment, spec_from(settings))
    assert caught.value.state == state


def test_anothers_cluster_is_left_alone(script, settings):
    script.answer("redshift", "describe_clusters", {"Clusters": [described("available", Tags=[])]})
    deployment = Provisioned(script.aws, "dwhcluster")
    with pytest.raises(ClusterError, match="left alone"):
        lifecycle.plan_creation(script.aws, deployment, spec_from(settings))


def test_a_region_without_a_default_vpc_is_said(script):
    from sparkify.cluster.network import vpc_for

    script.answer("ec2", "describe_vpcs", {"Vpcs": []})
    with pytest.raises(ClusterError) as caught:
        vpc_for(script.aws, "")
    assert "--subnet-group" in caught.value.hint


@pytest.mark.parametrize(
    ("expires", "late"),
    [
        ("2026-11-23T11:59:59+00:00", True),
        ("2026-11-24T00:00:00+00:00", False),
        ("never", False),
        ("2026-01-01", True),
    ],
)
def test_a_cluster_past_its_expiry_is_shouted_about(script, expires, late):
    tags = [{"Key": "sparkify:cluster", "Value": "dwhcluster"}, {"Key": "expires-at", "Value": expires}]
    script.answer("redshift", "describe_clusters", {"Clusters": [described("available", Tags=tags)]})
    found = Provisioned(script.aws, "dwhcluster").find()
    sentence = lifecycle.overdue(found, script.clock())
    assert bool(sentence) is late
    assert ("EXPIRED" in sentence) is late
    assert ("at the list price of us-east-1" in sentence) is late


UNKNOWN = (
    "The IAM role arn:aws:iam::123456789012:role/dwhRole is not valid. The IAM role must delegate access to "
    "an Amazon Redshift account."
)


def test_a_role_that_is_too_new_to_be_known_is_waited_for(script, settings):
    """IAM tells its regions within a minute; terraform-provider-aws#19113."""
    spec = spec_from(settings)
    script.cluster("-")
    script.refuse("redshift", "create_cluster", "InvalidParameterValue", UNKNOWN)
    script.refuse("redshift", "create_cluster", "InvalidParameterValue", UNKNOWN)
    script.answer("redshift", "create_cluster", {"Cluster": described("creating")})
    Provisioned(script.aws, "dwhcluster").create(spec, ROLE, "sg-1", {}, PollSchedule())
    assert script.clock.slept == [2, 4]


def test_a_role_that_stays_unknown_is_an_error_after_a_minute(script, settings):
    script.cluster("-")
    for _ in range(7):
        script.refuse("redshift", "create_cluster", "InvalidParameterValue", UNKNOWN)
    with pytest.raises(ClusterError, match="must delegate access"):
        Provisioned(script.aws, "dwhcluster").create(spec_from(settings), ROLE, "sg-1", {}, PollSchedule())
    assert 60 <= sum(script.clock.slept) <= 70


def test_another_wrong_parameter_is_an_error_at_once(script, settings):
    script.cluster("-")
    script.refuse("redshift", "create_cluster", "InvalidParameterValue", "The parameter Port is not valid.")
    with pytest.raises(ClusterError, match="Port"):
        Provisioned(script.aws, "dwhcluster").create(spec_from(settings), ROLE, "sg-1", {}, PollSchedule())
    assert script.clock.slept == []


def test_costs_grow_with_the_nodes_and_the_hours():
    from sparkify.cluster import prices

    hourly = prices.per_hour("ra3.large", 4)
    assert hourly == pytest.approx(2.172)
    assert prices.so_far(hourly, timedelta(hours=10)) == pytest.approx(21.72)
    assert prices.per_hour("rg.large", 4) == pytest.approx(1.52)
    assert prices.per_hour("rg.12xlarge", 4) is None

"""One address, one port, our own group; what others opened stays theirs."""

from __future__ import annotations

import ipaddress
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from sparkify.cli.app import run
from sparkify.cluster import network
from sparkify.errors import ClusterError, ConfigError
from tests.cluster.conftest import everything, raw_client

CREATE = ["cluster", "create", "--yes"]
OPEN = ["cluster", "open-port"]
MINE = ["sparkify-redshift-dwhcluster", "203.0.113.7/32", 5439, 5439]


@contextmanager
def address_service(answer: bytes) -> Iterator[str]:
    """A check service on loopback that says that."""

    class Says(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Says)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_the_callers_own_address_is_let_in_and_no_other(config, moto, monkeypatch):
    assert run(CREATE) == 0
    with address_service(b"203.0.113.7\n") as url:
        monkeypatch.setattr(network, "CHECK_ADDRESS", url)
        assert run(OPEN) == 0
    assert everything(moto)["ingress"] == [MINE]


@pytest.mark.parametrize("answer", [b"<html>busy</html>", b""])
def test_an_answer_that_is_no_address_lets_nobody_in(config, moto, monkeypatch, answer):
    assert run(CREATE) == 0
    with address_service(answer) as url:
        monkeypatch.setattr(network, "CHECK_ADDRESS", url)
        assert run(OPEN) == 1
    assert everything(moto)["ingress"] == []


def test_a_check_service_that_is_not_there_says_what_to_do_instead():
    def offline(url: str) -> str:
        raise OSError("no route to host")

    with pytest.raises(ClusterError) as caught:
        network.caller_address(offline)
    assert "--cidr" in caught.value.hint


def test_an_ipv6_caller_is_one_address_too():
    assert network.caller_address(lambda _: "2001:db8::7") == ipaddress.ip_network("2001:db8::7/128")


@pytest.mark.parametrize("cidr", ["0.0.0.0/0", "0.0.0.0/1", "128.0.0.0/1", "10.0.0.0/8", "::/0", "2001::/16"])
def test_the_world_is_not_let_in_by_accident(config, moto, cidr):
    assert run(CREATE) == 0
    assert run([*OPEN, "--cidr", cidr]) == 2
    assert everything(moto)["ingress"] == []


def test_the_world_is_let_in_by_intent(config, moto):
    assert run(CREATE) == 0
    assert run([*OPEN, "--cidr", "0.0.0.0/0", "--i-know-what-i-am-doing"]) == 0
    assert [rule[1] for rule in everything(moto)["ingress"]] == ["0.0.0.0/0"]


@pytest.mark.parametrize("cidr", ["203.0.113.7/24", "everyone", "203.0.113.256"])
def test_what_is_no_network_is_refused(cidr):
    with pytest.raises(ConfigError):
        network.network_from(cidr, wide=False)


def test_opening_twice_is_one_rule(config, moto):
    assert run(CREATE) == 0
    for _ in range(2):
        assert run([*OPEN, "--cidr", "203.0.113.7/32"]) == 0
    assert everything(moto)["ingress"] == [MINE]


def test_closing_takes_back_ours_and_leaves_others(config, moto):
    assert run(CREATE) == 0
    ec2 = raw_client(moto, "ec2")
    (group,) = ec2.describe_security_groups(
        Filters=[{"Name": "group-name", "Values": ["sparkify-redshift-dwhcluster"]}]
    )["SecurityGroups"]
    theirs = {"IpProtocol": "tcp", "FromPort": 5439, "ToPort": 5439, "IpRanges": [{"CidrIp": "10.1.0.0/16"}]}
    ec2.authorize_security_group_ingress(GroupId=group["GroupId"], IpPermissions=[theirs])
    for cidr in ("203.0.113.7/32", "203.0.113.8/32"):
        assert run([*OPEN, "--cidr", cidr]) == 0

    assert run(["cluster", "close-port", "--cidr", "203.0.113.8/32"]) == 0
    assert [rule[1] for rule in everything(moto)["ingress"]] == ["10.1.0.0/16", "203.0.113.7/32"]
    assert run(["cluster", "close-port"]) == 0
    assert [rule[1] for rule in everything(moto)["ingress"]] == ["10.1.0.0/16"]
    assert run(["cluster", "close-port"]) == 0


def test_the_default_group_is_never_touched(config, moto):
    ec2 = raw_client(moto, "ec2")
    before = ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": ["default"]}])
    assert run(CREATE) == 0
    assert run([*OPEN, "--cidr", "203.0.113.7/32"]) == 0
    assert run(["cluster", "destroy", "--yes"]) == 0
    after = ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": ["default"]}])
    assert after["SecurityGroups"] == before["SecurityGroups"]


def test_a_port_of_no_cluster_is_not_opened(config, moto):
    assert run([*OPEN, "--cidr", "203.0.113.7/32"]) == 1
    assert everything(moto)["ingress"] == []

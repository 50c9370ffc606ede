"""The Data API of the stand-in, as boto3 sees it: what AWS takes and refuses."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Iterator
from typing import Any
from urllib.error import HTTPError

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tools.redshift_double import Fault
from tools.redshift_double.data_api import DataApi
from tools.redshift_double.fixtures import DoubleCluster


@pytest.fixture
def api(redshift: DoubleCluster) -> Iterator[DataApi]:
    with DataApi(redshift.server) as api:
        yield api


@pytest.fixture
def client(api: DataApi) -> Iterator[Any]:
    client = boto3.client(
        "redshift-data",
        region_name="us-west-2",
        endpoint_url=api.endpoint,
        aws_access_key_id="key",
        aws_secret_access_key="secret",
        config=Config(retries={"total_max_attempts": 1, "mode": "standard"}),
    )
    yield client
    client.close()


PLACE = {"ClusterIdentifier": "c", "Database": "dev", "DbUser": "awsuser"}


def refused(call: Any, **request: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**request)
    error = caught.value.response["Error"]
    return f"{error['Code']}: {error['Message']}"


def test_a_session_carries_temporary_tables_and_transactions(client: Any):
    begun = client.execute_statement(
        Sql="CREATE TEMP TABLE t (a INT)", SessionKeepAliveSeconds=60, WaitTimeSeconds=5, **PLACE
    )
    assert begun["Status"] == "FINISHED"
    session = {"SessionId": begun["SessionId"], "WaitTimeSeconds": 5, "SessionKeepAliveSeconds": 60}
    for sql in ("BEGIN", "INSERT INTO t VALUES (1)", "ROLLBACK", "INSERT INTO t VALUES (2)"):
        assert client.execute_statement(Sql=sql, **session)["Status"] == "FINISHED"
    found = client.execute_statement(Sql="SELECT a FROM t", **session)
    assert found["HasResultSet"] is True
    result = client.get_statement_result(Id=found["Id"])
    assert result["Records"] == [[{"longValue": 2}]]
    assert result["ColumnMetadata"][0]["typeName"] == "int4"
    refusal = refused(client.execute_statement, Sql="SELECT 1", SessionId=begun["SessionId"], **PLACE)
    assert refusal.startswith("ValidationException: ClusterIdentifier, Database, DbUser cannot be")


def test_without_a_session_each_statement_has_its_own(api: DataApi, client: Any):
    client.execute_statement(Sql="CREATE TEMP TABLE t (a INT)", WaitTimeSeconds=5, **PLACE)
    lost = client.execute_statement(Sql="SELECT a FROM t", WaitTimeSeconds=5, **PLACE)
    described = client.describe_statement(Id=lost["Id"])
    assert described["Status"] == "FAILED"
    assert described["Error"].startswith('ERROR: relation "t" does not exist')
    assert "[ErrorId: 1-" in described["Error"]
    assert refused(client.get_statement_result, Id=lost["Id"]).startswith("ResourceNotFoundException")
    assert api.sessions == []


def test_a_session_ends_when_it_was_idle_for_too_long(client: Any):
    begun = client.execute_statement(Sql="SELECT 1", SessionKeepAliveSeconds=0, WaitTimeSeconds=5, **PLACE)
    time.sleep(0.05)
    refusal = refused(client.execute_statement, Sql="SELECT 1", SessionId=begun["SessionId"])
    assert refusal == "ValidationException: Session is not available"
    nobody = "00000000-0000-0000-0000-000000000000"
    refusal = refused(client.execute_statement, Sql="SELECT 1", SessionId=nobody)
    assert refusal == f"ValidationException: Session with Id: {nobody} is invalid"


def test_one_statement_at_a_time_and_a_cancelled_one_is_aborted(redshift: DoubleCluster, client: Any):
    begun = client.execute_statement(Sql="SELECT 1", SessionKeepAliveSeconds=60, WaitTimeSeconds=5, **PLACE)
    redshift.server.faults.arm(Fault("slow", match="SELECT 2", seconds=30))
    slow = client.execute_statement(Sql="SELECT 2", SessionId=begun["SessionId"], ClientToken="one")
    again = client.execute_statement(Sql="SELECT 2", SessionId=begun["SessionId"], ClientToken="one")
    assert again["Id"] == slow["Id"]
    assert "busy" in refused(client.execute_statement, Sql="SELECT 3", SessionId=begun["SessionId"])
    while client.describe_statement(Id=slow["Id"])["Status"] != "STARTED":
        time.sleep(0.01)
    time.sleep(0.1)
    client.cancel_statement(Id=slow["Id"])
    assert client.describe_statement(Id=slow["Id"], WaitTimeSeconds=5)["Status"] == "ABORTED"
    assert "already in ABORTED state" in refused(client.cancel_statement, Id=slow["Id"])


@pytest.mark.parametrize(
    ("request_", "why"),
    [
        ({"Sql": "SELECT 1", "Database": "dev"}, "ClusterIdentifier or WorkgroupName"),
        ({"Sql": "x" * 100_001, **PLACE}, "larger than 100kB"),
        ({"Sql": "SELECT 1", "WorkgroupName": "work", "Database": "dev", "DbUser": "me"}, "DbUser cannot"),
        ({"Sql": "SELECT 1", **PLACE, "SecretArn": "arn"}, "DbUser cannot"),
    ],
)
def test_what_aws_refuses(client: Any, request_: dict[str, Any], why: str):
    assert why in refused(client.execute_statement, **request_)


def test_a_parameter_that_the_service_does_not_have_is_refused(api: DataApi):
    request = urllib.request.Request(
        api.endpoint,
        json.dumps({"Sql": "SELECT 1", "Timeout": 5, **PLACE}).encode(),
        {
            "X-Amz-Target": "RedshiftData.ExecuteStatement",
            "Authorization": "AWS4-HMAC-SHA256 Credential=k/20260101/us-west-2/redshift-data/aws4_request",
        },
    )
    with pytest.raises(HTTPError) as caught:
        urllib.request.urlopen(request, timeout=10)
    with caught.value as answer:
        assert json.load(answer)["__type"] == "SerializationException"


def test_a_row_of_more_than_64_kb_is_too_large(client: Any):
    sql = "SELECT REPEAT('x', 65000) AS a, REPEAT('x', 65000) AS b"
    found = client.execute_statement(Sql=sql, WaitTimeSeconds=5, **PLACE)
    assert "Packet for query is too large" in client.describe_statement(Id=found["Id"])["Error"]

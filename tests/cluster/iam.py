"""A small evaluator of IAM policies, and what lets commands run under one: the rest is refused.

Judges as the IAM User Guide says ("Policy evaluation logic", "IAM JSON policy elements"), for the elements
our documents have: a request is allowed where a statement's Action, Resource and every Condition match it,
and no Deny does. A condition on a key that the request lacks is false. Which requests a call of the API
amounts to is AWS's to say: ``aws_permissions.toml`` has it, call by call, with the page.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from tests.cluster.conftest import REGION

ACCOUNT = "123456789012"
USER_ID = "AROAEXAMPLE:somebody"  # what ${aws:userid} stands for
TABLE = Path(__file__).with_name("aws_permissions.toml")
Document = dict[str, Any]


@dataclass(frozen=True)
class Request:
    """What AWS is asked to allow: one action on one resource; ``*`` for an action that has none."""

    action: str
    resource: str
    context: Mapping[str, str] = field(default_factory=dict)


def allows(document: Document, request: Request) -> bool:
    """Tell whether a policy allows a request."""
    effects = {statement["Effect"] for statement in document["Statement"] if _applies(statement, request)}
    return "Allow" in effects and "Deny" not in effects


def _applies(statement: Document, request: Request) -> bool:
    return (
        any(matches(pattern.lower(), request.action.lower()) for pattern in _listed(statement["Action"]))
        and any(matches(pattern, request.resource) for pattern in _listed(statement["Resource"]))
        and all(
            _condition(operator, key, _listed(wanted), request.context)
            for operator, keys in statement.get("Condition", {}).items()
            for key, wanted in keys.items()
        )
    )


def _condition(operator: str, key: str, wanted: list[str], context: Mapping[str, str]) -> bool:
    value = next((value for name, value in context.items() if name.lower() == key.lower()), None)
    if value is None:
        return False
    wanted = [each.replace("${aws:userid}", USER_ID) for each in wanted]
    if operator == "StringEquals":
        return value in wanted
    if operator in ("StringLike", "ArnLike"):
        return any(matches(pattern, value) for pattern in wanted)
    raise NotImplementedError(operator)


def matches(pattern: str, value: str) -> bool:
    """Match IAM's wildcards ``*`` and ``?``; ``${*}``, ``${?}`` and ``${$}`` are those characters."""
    parts = re.split(r"(\$\{[*?$]\}|[*?])", pattern)
    wild = {"*": ".*", "?": "."}
    expression = "".join(
        wild.get(part) or re.escape(part[2] if part.startswith("${") else part) for part in parts
    )
    return re.fullmatch(expression, value, re.DOTALL) is not None


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


@cache
def table() -> dict[str, dict[str, Any]]:
    """What AWS documents, by the call: the page, and what it needs."""
    return {call["name"]: call for call in tomllib.loads(TABLE.read_text(encoding="utf-8"))["call"]}


def requests_of(call: str, parameters: Mapping[str, Any]) -> Iterator[Request]:
    """Yield what a call amounts to.

    Raises:
        KeyError: The table does not have the call.
    """
    names: dict[str, Any] = {"region": REGION, "account": ACCOUNT, "userid": USER_ID}
    for key, value in parameters.items():
        names[key] = value[0] if isinstance(value, list) and value else value
    requested = {f"aws:RequestTag/{key}": value for key, value in _tags(parameters)}
    for need in table()[call]["needs"]:
        if "when" in need and not parameters.get(need["when"]):
            continue
        if "unless" in need and parameters.get(need["unless"]):
            continue
        context = {**need.get("context", {}), **requested}
        if need.get("ours"):  # made by `create`, with its tag
            context["aws:ResourceTag/sparkify:cluster"] = "dwhcluster"
        context = {key: value.format_map(names) for key, value in context.items()}
        for resource in need.get("resources", ["*"]):
            for action in _listed(need["actions"]):
                yield Request(action, resource.format_map(names), context)


def _tags(parameters: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    tags = [*parameters.get("Tags", []), *parameters.get("tags", [])]
    for specification in parameters.get("TagSpecifications", []):
        tags += specification["Tags"]
    for tag in tags:
        if tag:
            yield tag.get("Key") or tag["key"], tag.get("Value") or tag["value"]


class Guard:
    """Refuses, as AWS does, what a policy does not allow to the clients it watches.

    ``denied`` has what was refused, ``needed`` every action that was asked for.
    """

    def __init__(self, document: Document) -> None:
        self.document = document
        self.denied: list[Request] = []
        self.needed: set[str] = set()
        self._asked: dict[str, Any] = {}
        self._watched: list[Any] = []

    def watch(self, client: Any) -> Any:
        """Judge what this client is asked from now on."""
        if client not in self._watched:
            client.meta.events.register("before-parameter-build", self._keep)
            client.meta.events.register_first("before-call", self._judge)
            self._watched.append(client)
        return client

    def stop(self) -> None:
        """Leave the clients alone again."""
        for client in self._watched:
            client.meta.events.unregister("before-parameter-build", self._keep)
            client.meta.events.unregister("before-call", self._judge)

    def refused(self, call: str, parameters: Mapping[str, Any]) -> Request | None:
        """Return the first request of a call that the policy does not allow."""
        for request in requests_of(call, parameters):
            self.needed.add(request.action)
            if not allows(self.document, request):
                self.denied.append(request)
                return request
        return None

    def _keep(self, params: dict[str, Any], **_: Any) -> None:
        self._asked = params

    def _judge(self, model: Any, **_: Any) -> tuple[AWSResponse, dict[str, Any]] | None:
        request = self.refused(f"{model.service_model.signing_name}:{model.name}", self._asked)
        if request is None:
            return None
        words = f"User is not authorized to perform: {request.action} on resource: {request.resource}"
        error = {"Error": {"Code": "AccessDenied", "Message": words}}
        return AWSResponse("https://iam", 403, HTTPHeaders(), None), error


def s3_guard(guard: Guard) -> Callable[[str, str, str, Mapping[str, list[str]], bytes], bool]:
    """Return the judge of requests to S3: method, bucket, key, query and body."""

    def allowed(method: str, bucket: str, key: str, query: Mapping[str, list[str]], body: bytes) -> bool:
        if method == "POST" and "delete" in query:
            keys = re.findall(rb"<Key>(.*?)</Key>", body)
            return all(
                not guard.refused("s3:DeleteObject", {"Bucket": bucket, "Key": k.decode()}) for k in keys
            )
        if key:
            call = {"GET": "GetObject", "HEAD": "GetObject", "DELETE": "DeleteObject"}.get(
                method, "PutObject"
            )
        elif "location" in query:
            call = "GetBucketLocation"
        else:
            call = "ListObjectsV2" if "prefix" in query else "HeadBucket"
        parameters = {"Bucket": bucket, "Key": key, "Prefix": query.get("prefix", [""])[0]}
        return guard.refused(f"s3:{call}", parameters) is None

    return allowed

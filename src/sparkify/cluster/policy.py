"""Least-privilege policy documents for the operator, the COPY role and the ETL user.

They cover one cluster, one role and exactly the configured buckets and prefixes. AWS is not contacted.
Sources: the Service Authorization Reference for which actions take which resources, and the Management Guide
for what AWS checks on the caller beyond the call itself (passing a role, tagging on creation, managed
passwords).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sparkify.cluster.spec import Sources
from sparkify.lake.uri import S3Location

VERSION = "2012-10-17"
# The tag that marks a resource as ours, with the cluster it was created for.
CLUSTER_TAG = "sparkify:cluster"

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class PolicyScope:
    """Scope of a document; ``account`` has 12 digits, ``partition`` is aws, aws-cn or aws-us-gov."""

    partition: str
    account: str
    region: str
    identifier: str
    role_name: str
    database: str
    user: str
    serverless: bool
    managed_password: bool
    sources: Sources
    data_api: bool = False

    def arn(self, service: str, resource: str, *, everywhere: bool = False) -> str:
        """Return an ARN of this account; ``everywhere`` for services without regions."""
        region = "" if everywhere else self.region
        return f"arn:{self.partition}:{service}:{region}:{self.account}:{resource}"

    @property
    def role_arn(self) -> str:
        """The COPY role's ARN."""
        return self.arn("iam", f"role/{self.role_name}", everywhere=True)

    @property
    def principals(self) -> list[str]:
        """The services that may assume the COPY role."""
        serverless = ["redshift-serverless.amazonaws.com"] if self.serverless else []
        return ["redshift.amazonaws.com", *serverless]


def trust(scope: PolicyScope) -> Document:
    """Return who may assume the COPY role: Redshift, for this account's cluster only (no confused deputy)."""
    source = (
        scope.arn("redshift-serverless", "*")
        if scope.serverless
        else scope.arn("redshift", f"cluster:{scope.identifier}")
    )
    return _document(
        {
            "Sid": "OnlyOurRedshift",
            "Effect": "Allow",
            "Principal": {"Service": scope.principals},
            "Action": "sts:AssumeRole",
            "Condition": {
                "StringEquals": {"aws:SourceAccount": scope.account},
                "ArnLike": {"aws:SourceArn": source},
            },
        }
    )


def copy(scope: PolicyScope) -> Document:
    """Return what the COPY role may do: read the configured locations."""
    return _document(*_reading(scope, "Read", scope.sources.read))


def etl(scope: PolicyScope) -> Document:
    """Return what the user who runs the ETL may do: log in, list and read the data, write to STAGING."""
    statements = []
    if scope.serverless:
        statements += [
            _allow(
                "FindWorkgroup",
                [
                    "redshift-serverless:GetNamespace",
                    "redshift-serverless:GetWorkgroup",
                    "redshift-serverless:ListTagsForResource",
                ],
            ),
            _allow(
                "LogIn",
                ["redshift-serverless:GetCredentials"],
                scope.arn("redshift-serverless", "workgroup/*"),
                {"StringEquals": {f"aws:ResourceTag/{CLUSTER_TAG}": scope.identifier}},
            ),
        ]
        if scope.managed_password:
            # Six characters that AWS chooses follow the name.
            secret = scope.arn("secretsmanager", f"secret:redshift!{scope.identifier}-{scope.user}-??????")
            statements.append(_allow("ReadPassword", ["secretsmanager:GetSecretValue"], secret))
    else:
        statements += [
            _allow("FindCluster", ["redshift:DescribeClusters"]),
            _allow(
                "LogIn",
                ["redshift:GetClusterCredentials"],
                [
                    scope.arn("redshift", f"dbuser:{scope.identifier}/{scope.user}"),
                    scope.arn("redshift", f"dbname:{scope.identifier}/{scope.database}"),
                ],
            ),
        ]
    if scope.data_api:
        statements += _data_api(scope)
    statements += _reading(scope, "Read", scope.sources.read)
    if scope.sources.staging:
        staging = _objects(scope, scope.sources.staging)
        statements.append(_allow("WriteStaging", ["s3:PutObject", "s3:DeleteObject"], staging))
    return _document(*statements)


def _data_api(scope: PolicyScope) -> list[Document]:
    """Return the statements for the Data API: to submit to this cluster, and to see one's own statements."""
    if scope.serverless:
        place = scope.arn("redshift-serverless", "workgroup/*")
        ours: Document | None = {"StringEquals": {f"aws:ResourceTag/{CLUSTER_TAG}": scope.identifier}}
    else:
        place, ours = scope.arn("redshift", f"cluster:{scope.identifier}"), None
    own = {"StringEquals": {"redshift-data:statement-owner-iam-userid": "${aws:userid}"}}
    return [
        _allow("Submit", ["redshift-data:ExecuteStatement"], place, ours),
        # They have no resource, so that no ARN limits them.
        _allow(
            "OwnStatements",
            [
                "redshift-data:CancelStatement",
                "redshift-data:DescribeStatement",
                "redshift-data:GetStatementResult",
            ],
            "*",
            own,
        ),
    ]


def operator(scope: PolicyScope) -> Document:
    """Return what the person who runs `sparkify cluster` may do."""
    statements = [_allow("See", _seeing(scope))]
    statements += _serverless(scope) if scope.serverless else _provisioned(scope)
    statements += [
        _allow(
            "CopyRole",
            [
                "iam:GetRole",
                "iam:GetRolePolicy",
                "iam:CreateRole",
                "iam:TagRole",
                "iam:UpdateAssumeRolePolicy",
                "iam:PutRolePolicy",
                "iam:DeleteRolePolicy",
                "iam:DeleteRole",
            ],
            scope.role_arn,
        ),
        _allow(
            "PassCopyRole",
            ["iam:PassRole"],
            scope.role_arn,
            {"StringEquals": {"iam:PassedToService": scope.principals}},
        ),
        _allow(
            "FirstClusterOfTheAccount",
            ["iam:CreateServiceLinkedRole"],
            scope.arn("iam", "role/aws-service-role/redshift.amazonaws.com/*", everywhere=True),
            {"StringEquals": {"iam:AWSServiceName": "redshift.amazonaws.com"}},
        ),
        *_network(scope),
    ]
    if scope.managed_password:
        statements += [
            _allow(
                "ManagedPassword",
                [
                    "secretsmanager:CreateSecret",
                    "secretsmanager:DeleteSecret",
                    "secretsmanager:DescribeSecret",
                    "secretsmanager:RotateSecret",
                    "secretsmanager:TagResource",
                    "secretsmanager:UpdateSecret",
                ],
                scope.arn("secretsmanager", "secret:redshift!*"),
            ),
            # It has no resource, so that no ARN limits it.
            _allow("RandomPassword", ["secretsmanager:GetRandomPassword"]),
            _allow("ManagedPasswordKey", ["kms:DescribeKey"], scope.arn("kms", "key/*")),
        ]
    return _document(*statements)


def _seeing(scope: PolicyScope) -> list[str]:
    """Return the read-only actions; most of them cannot be limited to a resource."""
    if scope.serverless:
        seeing = [
            "redshift-serverless:GetNamespace",
            "redshift-serverless:GetWorkgroup",
            "redshift-serverless:ListNamespaces",
            "redshift-serverless:ListSnapshots",
            "redshift-serverless:ListTagsForResource",
            "redshift-serverless:ListUsageLimits",
        ]
    else:
        seeing = [
            "redshift:DescribeClusters",
            "redshift:DescribeClusterSnapshots",
            "redshift:DescribeClusterSubnetGroups",
        ]
    return [
        *seeing,
        "ec2:DescribeAccountAttributes",
        "ec2:DescribeAddresses",
        "ec2:DescribeAvailabilityZones",
        "ec2:DescribeInternetGateways",
        "ec2:DescribeSecurityGroupRules",
        "ec2:DescribeSecurityGroups",
        "ec2:DescribeSubnets",
        "ec2:DescribeVpcs",
        "secretsmanager:ListSecrets",
    ]


def _provisioned(scope: PolicyScope) -> list[Document]:
    cluster = f"cluster:{scope.identifier}"
    return [
        _allow(
            "Cluster",
            [
                "redshift:CreateCluster",
                "redshift:CreateTags",
                "redshift:DeleteCluster",
                "redshift:PauseCluster",
                "redshift:ResumeCluster",
            ],
            scope.arn("redshift", cluster),
        ),
        _allow(
            "FinalSnapshot",
            ["redshift:CreateClusterSnapshot"],
            scope.arn("redshift", f"snapshot:{scope.identifier}/{scope.identifier}-final-*"),
        ),
    ]


def _serverless(scope: PolicyScope) -> list[Document]:
    """Return the statements for Serverless, limited by our tag: its ARNs contain generated ids."""
    places = [scope.arn("redshift-serverless", f"{kind}/*") for kind in ("namespace", "workgroup")]
    return [
        _allow(
            "Create",
            [
                "redshift-serverless:CreateNamespace",
                "redshift-serverless:CreateWorkgroup",
                "redshift-serverless:TagResource",
            ],
            places,
            {"StringEquals": {f"aws:RequestTag/{CLUSTER_TAG}": scope.identifier}},
        ),
        _allow(
            "Ours",
            [
                "redshift-serverless:CreateSnapshot",
                "redshift-serverless:DeleteNamespace",
                "redshift-serverless:DeleteWorkgroup",
            ],
            places,
            {"StringEquals": {f"aws:ResourceTag/{CLUSTER_TAG}": scope.identifier}},
        ),
        # The snapshot, which is new, has no tag; of what it may be, the statement above says.
        _allow(
            "FinalSnapshot",
            ["redshift-serverless:CreateSnapshot"],
            scope.arn("redshift-serverless", "snapshot/*"),
        ),
        # It has no resource, so that neither an ARN nor a tag limits it.
        _allow("UsageLimit", ["redshift-serverless:CreateUsageLimit"]),
    ]


def _network(scope: PolicyScope) -> list[Document]:
    group = scope.arn("ec2", "security-group/*")
    rule = scope.arn("ec2", "security-group-rule/*")
    requested = {"StringEquals": {f"aws:RequestTag/{CLUSTER_TAG}": scope.identifier}}
    return [
        _allow("MakeGroupIn", ["ec2:CreateSecurityGroup"], scope.arn("ec2", "vpc/*")),
        _allow("MakeGroup", ["ec2:CreateSecurityGroup"], group, requested),
        _allow(
            "TagWhatIsMade",
            ["ec2:CreateTags"],
            [group, rule],
            {
                "StringEquals": {
                    "ec2:CreateAction": ["CreateSecurityGroup", "AuthorizeSecurityGroupIngress"],
                    f"aws:RequestTag/{CLUSTER_TAG}": scope.identifier,
                }
            },
        ),
        _allow("MakeRule", ["ec2:AuthorizeSecurityGroupIngress"], rule, requested),
        _allow(
            "OurGroup",
            [
                "ec2:AuthorizeSecurityGroupIngress",
                "ec2:RevokeSecurityGroupIngress",
                "ec2:DeleteSecurityGroup",
            ],
            group,
            {"StringEquals": {f"aws:ResourceTag/{CLUSTER_TAG}": scope.identifier}},
        ),
    ]


def _reading(scope: PolicyScope, sid: str, places: Sequence[S3Location]) -> list[Document]:
    if not places:
        return []
    objects = list(dict.fromkeys(arn for place in places for arn in _objects(scope, place)))
    statements = [_allow(f"{sid}Objects", ["s3:GetObject"], objects)]
    buckets = list(dict.fromkeys(place.bucket for place in places))
    for number, bucket in enumerate(buckets, 1):
        arn = f"arn:{scope.partition}:s3:::{bucket}"
        prefixes = [_literal(place.prefix) for place in places if place.bucket == bucket]
        patterns = [
            pattern for prefix in prefixes for pattern in ((prefix, f"{prefix}/*") if prefix else ("*",))
        ]
        condition = {"StringLike": {"s3:prefix": list(dict.fromkeys(patterns))}}
        statements += [
            _allow(f"{sid}List{number}", ["s3:ListBucket"], arn, condition),
            _allow(f"{sid}Region{number}", ["s3:GetBucketLocation"], arn),
        ]
    return statements


def _objects(scope: PolicyScope, place: S3Location) -> list[str]:
    """Return the ARNs of a location's objects: those below it as a folder, and itself as an object."""
    root = f"arn:{scope.partition}:s3:::{place.bucket}/"
    prefix = _literal(place.prefix)
    return [f"{root}{prefix}", f"{root}{prefix}/*"] if prefix else [f"{root}*"]


def _literal(text: str) -> str:
    """Return a key escaped for an IAM pattern, where ``*``, ``?`` and ``$`` are special."""
    return "".join(f"${{{character}}}" if character in "*?$" else character for character in text)


def _allow(
    sid: str,
    actions: Sequence[str],
    resources: str | Sequence[str] = "*",
    condition: Document | None = None,
) -> Document:
    statement: Document = {
        "Sid": sid,
        "Effect": "Allow",
        "Action": sorted(actions),
        "Resource": resources if isinstance(resources, str) else list(resources),
    }
    if condition:
        statement["Condition"] = condition
    return statement


def _document(*statements: Document) -> Document:
    return {"Version": VERSION, "Statement": list(statements)}


DOCUMENTS: dict[str, Callable[[PolicyScope], Document]] = {"operator": operator, "copy": copy, "etl": etl}


def statement_for(action: str) -> tuple[str, str] | None:
    """Return the document and statement (Sid) that allow an action, such as ``("operator", "Cluster")``."""
    place = S3Location("bucket", "prefix")
    for serverless in (False, True):
        scope = PolicyScope(
            "aws", "0" * 12, "region", "cluster", "role", "database", "user",
            serverless=serverless, managed_password=True, sources=Sources((place,), None, place),
            data_api=True,
        )  # fmt: skip
        for name in ("operator", "etl"):
            for statement in DOCUMENTS[name](scope)["Statement"]:
                if action in statement["Action"]:
                    return name, statement["Sid"]
    return None

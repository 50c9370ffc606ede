"""Texts without the names of hosts, users, roles, buckets, databases and accounts: a proof is for others."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from sparkify.lake.uri import parse_s3
from sparkify.settings import Settings

_HIDDEN = "…"
# Whole words that name something, whoever runs it: roles and users of IAM, objects, hosts, keys.
_WORDS = (
    r"arn:aws[^\s,\"]*",
    r"[a-z0-9]+://\S+",
    r"IAMR?:\S+",
    r"(?:assumed-role|federated-user|role|user)/\S+",
    r"db(?:user|group|name):[^\s:]\S*",
    r"(?<!\w)(?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{12,}",
    r"[\w.-]+\.amazonaws\.com(?:\.cn)?",
    r"(?<!\w)ip-\d+-\d+-\d+-\d+[\w.-]*",
)
# Account ids, and addresses of IPv4.
_NUMBERS = (r"(?<!\d)\d{12}(?!\d)", r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?!\.?\d)")
# What may be an address of IPv6; so may a time, or `::` of a cast.
_COLONS = r"(?<![\w.])[0-9a-f:.]*:[0-9a-f:.]*(?:%\w+)?(?!\w)"


def hide_names(settings: Settings) -> Callable[[str], str]:
    """Return what takes these settings' names out of a text, and all that looks like one of others."""
    known = sorted({name for name in _known_names(settings) if name}, key=len, reverse=True)
    # Words before names, which may be a part of one; numbers after names, of which one may be a part.
    words, names, colons, numbers = (
        re.compile("|".join(patterns), re.IGNORECASE)
        for patterns in (_WORDS, [rf"(?<!\w){re.escape(name)}(?!\w)" for name in known], [_COLONS], _NUMBERS)
    )

    def hide(text: str) -> str:
        text = names.sub(_HIDDEN, words.sub(_HIDDEN, text))
        return numbers.sub(_HIDDEN, colons.sub(_without_address, text))

    return hide


def _known_names(settings: Settings) -> Iterator[str]:
    cluster, dwh = settings.cluster, settings.dwh
    yield from (cluster.host, cluster.host.split(".")[0], cluster.db_name, cluster.db_password)
    yield from (cluster.db_user, cluster.db_user.rpartition(":")[2])
    yield from (dwh.dwh_cluster_identifier, dwh.dwh_iam_role_name)
    yield from (settings.aws.key, settings.aws.secret, settings.aws.session_token, settings.aws.profile)
    for arn in settings.iam_role.arn.split(","):
        yield arn.strip()
        yield arn.rpartition("/")[2].strip()
    place = parse_s3(settings.s3.staging)
    yield from (settings.s3.staging, place.bucket, place.folder.strip("/"))
    yield str(Path.home())


def _without_address(found: re.Match[str]) -> str:
    text = found[0]
    for address in (text, text.rstrip(":."), text.lstrip(":."), text.strip(":.")):
        try:
            ipaddress.IPv6Address(address)
        except ValueError:
            continue
        if address != "::":
            return text.replace(address, _HIDDEN, 1)
    return text

"""What the commands of `sparkify cluster` share: their options, and the session each starts from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from sparkify.cli.options import json_option, settings_from
from sparkify.cli.screen import Screen
from sparkify.settings import DEFAULT_PATH, Settings

if TYPE_CHECKING:
    from sparkify.cluster.aws import Aws
    from sparkify.cluster.deployment import Deployment

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class ClusterSession:
    """What every command of the group starts from."""

    screen: Screen
    settings: Settings
    aws: Aws
    deployment: Deployment


def cluster_options(command: F) -> F:
    """Add ``--config``, ``--serverless`` and ``--json``."""
    for decorate in (
        json_option,
        click.option("--serverless", is_flag=True, help="Redshift Serverless instead of nodes."),
        click.option("--config", metavar="FILE", help="The configuration. [default: dwh.cfg, if there]"),
    ):
        command = decorate(command)
    return command


write_option = click.option("--no-write", is_flag=True, help="Leave dwh.cfg alone; only print.")
timeout_option = click.option(
    "--timeout", type=click.FloatRange(min=0), default=30, show_default=True, help="Minutes to wait at most."
)


def cluster_settings(options: dict[str, Any]) -> Settings:
    """Resolve the settings from a command's options; ``--serverless`` overrides dwh.cfg."""
    settings = settings_from(options)
    if options["serverless"]:
        settings = replace(settings, dwh=replace(settings.dwh, dwh_cluster_type="serverless"))
    return settings


def open_session(options: dict[str, Any]) -> ClusterSession:
    """Connect to AWS; warn where the credentials are exposed.

    Raises:
        ConfigError: HOST says that the cluster is in another region.
    """
    from sparkify.cluster import credentials
    from sparkify.cluster.lifecycle import deployment_of
    from sparkify.cluster.region import verify_host

    settings = cluster_settings(options)
    screen = Screen(as_json=options["as_json"])
    for exposure in credentials.exposures(settings):
        screen.warn(exposure)
    aws = credentials.connect(settings)
    deployment = deployment_of(aws, settings)
    verify_host(settings.cluster.host, deployment.identifier, aws.region)
    return ClusterSession(screen, settings, aws, deployment)


@contextmanager
def waiting(screen: Screen, label: str, minutes: float) -> Iterator[Any]:
    """Show that we wait, for so many minutes at most, and what for; yield the patience to do it with."""
    from sparkify.cluster.waiting import PollSchedule

    with screen.progress(label) as progress:
        yield PollSchedule(timeout=minutes * 60, show=lambda text: progress(label=text))


def shout(session: ClusterSession, found: Any) -> None:
    """Warn about a cluster past its expiry."""
    from sparkify.cluster.lifecycle import overdue

    sentence = overdue(found, session.aws.clock())
    if sentence:
        session.screen.warn(sentence)


def write_config(session: ClusterSession, values: dict[tuple[str, str], str], *, write: bool) -> None:
    """Write values into dwh.cfg and say so; without ``write`` only say what would be written."""
    from sparkify.settings.writing import write_values

    path = session.settings.path or Path(DEFAULT_PATH)
    if write:
        write_values(path, values)
    done = f"Written to {path}:" if write else f"For {path}:"
    for (section, key), value in values.items():
        session.screen.say(f"{done} [{section}] {key} = {value}")

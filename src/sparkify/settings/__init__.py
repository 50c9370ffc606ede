"""What dwh.cfg, the environment and flags say: ``keys`` reads them, ``writing`` writes values back."""

from sparkify.settings.keys import (
    DEFAULT_PATH,
    ENVIRONMENT_PREFIX,
    KEYS,
    AwsSettings,
    ClusterSettings,
    DwhSettings,
    IamRoleSettings,
    Key,
    S3Settings,
    Secret,
    Settings,
    expand_home,
    holds_secrets,
    load_settings,
    template,
)

__all__ = [
    "DEFAULT_PATH",
    "ENVIRONMENT_PREFIX",
    "KEYS",
    "AwsSettings",
    "ClusterSettings",
    "DwhSettings",
    "IamRoleSettings",
    "Key",
    "S3Settings",
    "Secret",
    "Settings",
    "expand_home",
    "holds_secrets",
    "load_settings",
    "template",
]

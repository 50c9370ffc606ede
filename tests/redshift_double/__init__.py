"""A stand-in for an Amazon Redshift cluster, for tests.

It speaks PostgreSQL's wire protocol to the real redshift_connector, runs on a real PostgreSQL, and behaves as
Redshift does where docs/redshift-double.md says so. `python -m tests.redshift_double --help` starts one by
hand.
"""

from .faults import Fault
from .options import Options
from .server import RedshiftDouble
from .statements import Statement

__all__ = ["Fault", "Options", "RedshiftDouble", "Statement"]

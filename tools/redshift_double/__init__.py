"""A stand-in for an Amazon Redshift cluster, for tests.

It speaks PostgreSQL's wire protocol to the real redshift_connector, runs on a real PostgreSQL, and behaves as
Redshift does where docs/redshift-double.md says so. `python -m tools.redshift_double --help` starts one by
hand.
"""

from .faults import Fault
from .options import Options
from .server import RedshiftDouble
from .statements import ParsedStatement

__all__ = ["Fault", "Options", "ParsedStatement", "RedshiftDouble"]

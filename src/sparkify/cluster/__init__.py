"""The Redshift cluster's life on AWS: create, watch, open, pause and destroy it.

The only user of boto3's redshift, ec2 and iam. Everything talks to AWS through
:class:`~sparkify.cluster.aws.Aws`, so that clients, the clock and the sleep are given, never made here.
"""

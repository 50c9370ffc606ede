"""The Redshift cluster on AWS: create, watch, open, pause and destroy it.

The only package that uses boto3's redshift, ec2 and iam. Every call to AWS goes through
:class:`~sparkify.cluster.aws.Aws`, so that clients, clock and sleep are injected.
"""

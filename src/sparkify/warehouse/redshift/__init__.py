"""The engine for Amazon Redshift; docs/redshift.md describes its setup and its limits."""

"""The engine at Sparkify's real size, Amazon Redshift; what it may assume is in docs/redshift.md."""

"""The user's own models and checks: a folder of SELECTs, computed and made in every run's transaction."""

"""The event simulator: listeners who play songs, as activity logs and song files in Sparkify's layout.

Arrows run one way: ``workers → helper, world → day_file, dirt → encoder → simulation → churn, arrivals →
machine, people, catalogue → config, draws``.
This package prints nothing, and imports only :mod:`sparkify.lake` from the rest of the project.
"""

"""The event simulator: listeners who play songs, as activity logs and song files in Sparkify's layout.

Arrows run one way: ``run → dirt, lines → engine → arrivals, machine, people, catalogue → config, draws``.
Nothing here prints, and nothing but :mod:`sparkify.lake` is imported from the rest of the package.
"""

"""The models of the star, in the order in which a run computes them.

A model is a file below ``sql/star``; each builds on those before it.
"""

from __future__ import annotations

# Songs and artists that changed.
CATALOGUE = ("star/songs.sql", "star/artists.sql")
# Plays of earlier runs whose song changed.
REMATCH = ("star/rematch.sql", "star/song_matches.sql", "star/rematched.sql")
# People as of a stretch of time: of a piece, or before it where their latest event went.
USERS = "star/users.sql"
# A piece of the run's scope.
PIECE = ("star/played.sql", "star/song_matches.sql", "star/songplays.sql", USERS, "star/time.sql")
# The days of the run's scope.
DAYS = "star/days.sql"

MODELS = tuple(dict.fromkeys((*CATALOGUE, *REMATCH, *PIECE, DAYS)))
RESET = "star/reset.sql"

"""Would a run succeed? Order and verdicts only; the answers come from the objects a run uses."""

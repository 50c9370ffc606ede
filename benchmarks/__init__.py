"""Ours beside the peers: every comparison interleaved in one run, reported as ratios of medians."""

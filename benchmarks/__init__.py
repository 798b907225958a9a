"""Measurements against peers: the same work, in one run, interleaved, medians. ``make bench``."""

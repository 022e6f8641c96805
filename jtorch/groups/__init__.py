"""Processes that work together: stores, groups of ranks, and the collectives among them."""

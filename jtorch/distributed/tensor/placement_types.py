"""Placements, under torch's path."""

from jtorch.shards.placements import Partial, Placement, Replicate, Shard

__all__ = ["Partial", "Placement", "Replicate", "Shard"]

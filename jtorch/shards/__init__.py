"""Distributed tensors: tensors of which each rank of a device mesh holds a part, and what calls do with them."""

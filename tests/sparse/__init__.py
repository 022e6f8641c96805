"""jtorch.sparse beside torch.sparse."""

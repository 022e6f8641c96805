"""torch.onnx, of which only the question is there that libraries ask in their forward."""

__all__ = ["is_in_onnx_export"]


def is_in_onnx_export():
    """Whether a model is being exported to ONNX: no, jax.export is the way out of jtorch."""
    return False

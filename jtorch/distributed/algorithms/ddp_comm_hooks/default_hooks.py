"""The mean of gradients, in their own precision or in half of it on the way."""

from jtorch.dtypes import bfloat16, float16
from jtorch.groups.calls import Work
from jtorch.groups.collectives import all_reduce
from jtorch.groups.world import found
from jtorch.nn.parallel.buckets import buffer_of


def _mean(process_group, bucket, dtype=None):
    group = found(process_group)
    own = bucket.buffer()
    tensor = (own if dtype is None else own.to(dtype)) / group.size()
    all_reduce(tensor, group=group)
    return Work([tensor.to(own.dtype)]).get_future()


def allreduce_hook(process_group, bucket):
    """The mean over the group's ranks, by default the world's."""
    return _mean(process_group, bucket)


def fp16_compress_hook(process_group, bucket):
    """The mean, sent as float16."""
    return _mean(process_group, bucket, float16)


def bf16_compress_hook(process_group, bucket):
    """The mean, sent as bfloat16."""
    return _mean(process_group, bucket, bfloat16)


def _wrapped(hook, dtype):
    def wrapped(state, bucket):
        own = bucket.buffer()
        bucket.set_buffer(own.to(dtype))
        return Work([buffer_of(hook(state, bucket)).to(own.dtype)]).get_future()

    return wrapped


def fp16_compress_wrapper(hook):
    """Another hook, whose buffer is float16."""
    return _wrapped(hook, float16)


def bf16_compress_wrapper(hook):
    """Another hook, whose buffer is bfloat16."""
    return _wrapped(hook, bfloat16)


__all__ = [
    "allreduce_hook", "bf16_compress_hook", "bf16_compress_wrapper", "fp16_compress_hook", "fp16_compress_wrapper",
]  # fmt: skip

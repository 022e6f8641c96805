"""What this build is made of, as torch.__config__ says it."""

import os

import jax

from jtorch import version


def show():
    """A text that names the versions of jtorch and of the JAX that it runs on."""
    return f"jtorch {version.jtorch}\n  - JAX {jax.__version__}\n"


def parallel_info():
    """A text that says how many processors the CPU's programs may use."""
    return f"XLA:CPU\n\tprocessors : {os.cpu_count()}\n"

"""Random numbers: torch's CPU generator bit for bit, and JAX keys for accelerators."""

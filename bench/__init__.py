"""Benchmarks: what jtorch costs beside torch eager and beside hand-written JAX."""

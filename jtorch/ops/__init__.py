"""The ops, one pure JAX function each, and the table of all of them (`ops.op.TABLE`)."""

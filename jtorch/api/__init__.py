"""torch's functions and Tensor methods, made from the op table or written by hand where a table row is not enough."""

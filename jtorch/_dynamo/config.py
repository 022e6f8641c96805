"""torch._dynamo.config: settings that scripts set. They change nothing: guards and programs are jtorch's own."""

suppress_errors = False
verbose = False
recompile_limit = cache_size_limit = 8
accumulated_recompile_limit = accumulated_cache_size_limit = 256
capture_scalar_outputs = False
capture_dynamic_output_shape_ops = False
assume_static_by_default = True
automatic_dynamic_shapes = True
optimize_ddp = True
inline_inbuilt_nn_modules = True
force_parameter_static_shapes = True

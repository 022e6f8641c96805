"""How ranks share one module's work: by columns or rows of its weight, by positions of a sequence, or at its ends."""

from jtorch._tensor import Tensor
from jtorch.distributed.tensor.modules import distribute_module, placed
from jtorch.nn.modules.linear import Linear
from jtorch.nn.modules.sparse import Embedding
from jtorch.shards.dtensor import DTensor
from jtorch.shards.placements import Replicate, Shard


class ParallelStyle:
    """How one module's parameters, inputs and outputs lie on a mesh."""

    src_data_rank: int | None = 0

    def _apply(self, module, device_mesh):
        raise NotImplementedError


def laid_out(value, mesh, layouts, desired):
    """A rank's part, or a DTensor, in the layouts desired."""
    if not isinstance(value, DTensor):
        value = DTensor.from_local(value, mesh, layouts)
    return value.redistribute(placements=desired) if layouts != desired else value


def _let_out(value, layouts, local):
    value = value.redistribute(placements=layouts)
    return value.to_local() if local else value


class _Split(ParallelStyle):
    """A linear layer or an embedding whose weight is cut."""

    inputs = outputs = Replicate()
    cuts: dict = {}  # {class: {parameter: placement}}
    wanted: dict = {}  # {class: placement of the input}

    def __init__(self, *, input_layouts=None, output_layouts=None, use_local_output=True):
        self.input_layouts = (input_layouts or self.inputs,)
        self.output_layouts = (output_layouts or self.outputs,)
        self.use_local_output = use_local_output

    def _apply(self, module, device_mesh):
        kind = next((kind for kind in self.cuts if isinstance(module, kind)), None)
        if kind is None:
            raise NotImplementedError(f"{type(self).__name__} currently only support nn.Linear and nn.Embedding!")
        cuts, desired = self.cuts[kind], (self.wanted[kind],)

        def partition(name, part, mesh):
            for own in part._parameters:
                placed(part, own, mesh, (cuts.get(own, Replicate()),), self.src_data_rank)

        def enter(part, inputs, mesh):
            return (laid_out(inputs[0], mesh, self.input_layouts, desired), *inputs[1:])

        def leave(part, outputs, mesh):
            return _let_out(outputs, self.output_layouts, self.use_local_output)

        return distribute_module(module, device_mesh, partition, enter, leave)


class ColwiseParallel(_Split):
    """Each rank has some of the outputs' features: of an nn.Linear rows of the weight, of an nn.Embedding columns."""

    outputs = Shard(-1)
    cuts = {Linear: {"weight": Shard(0), "bias": Shard(0)}, Embedding: {"weight": Shard(1)}}
    wanted = {Linear: Replicate(), Embedding: Replicate()}


class RowwiseParallel(_Split):
    """Each rank works on some of the inputs' features, or has some of an nn.Embedding's rows; the results are added."""

    inputs = Shard(-1)
    cuts = {Linear: {"weight": Shard(1)}, Embedding: {"weight": Shard(0)}}
    wanted = {Linear: Shard(-1), Embedding: Replicate()}


class SequenceParallel(ParallelStyle):
    """Each rank works on some of a sequence's positions; the parameters are whole: for LayerNorm, RMSNorm, Dropout."""

    def __init__(self, *, sequence_dim=1, use_local_output=False):
        self.sequence_sharding = (Shard(sequence_dim),)
        self.use_local_output = use_local_output

    def _apply(self, module, device_mesh):
        def enter(part, inputs, mesh):
            return (laid_out(inputs[0], mesh, self.sequence_sharding, self.sequence_sharding), *inputs[1:])

        def leave(part, outputs, mesh):
            return outputs.to_local() if self.use_local_output else outputs

        return distribute_module(module, device_mesh, None, enter, leave)


def _several(layouts):
    return (layouts,) if layouts is None or not isinstance(layouts, (tuple, list)) else tuple(layouts)


class PrepareModuleInput(ParallelStyle):
    """A module's inputs, from the layouts that they have to those that it wants."""

    def __init__(self, *, input_layouts=None, desired_input_layouts=None, input_kwarg_layouts=None,
                 desired_input_kwarg_layouts=None, use_local_output=False):  # fmt: skip
        self.input_layouts = None if input_layouts is None else _several(input_layouts)
        self.desired_input_layouts = None if desired_input_layouts is None else _several(desired_input_layouts)
        self.use_local_output = use_local_output
        self.input_kwarg_layouts = input_kwarg_layouts or {}
        self.desired_input_kwarg_layouts = desired_input_kwarg_layouts or {}
        if self.input_layouts is not None and self.desired_input_layouts is None:
            raise AssertionError("desired module inputs should not be None!")
        if self.input_layouts is not None and len(self.input_layouts) != len(self.desired_input_layouts):
            raise AssertionError("input_layouts and desired_input_layouts should have same length!")

    def _one(self, value, mesh, layout, desired):
        if layout is None or not isinstance(value, Tensor):
            return value
        made = laid_out(value, mesh, (layout,), (layout if desired is None else desired,))
        return made.to_local() if self.use_local_output else made

    def _apply(self, module, device_mesh):
        def enter(part, args, kwargs):
            if self.input_layouts is not None:
                if len(args) != len(self.input_layouts):
                    raise ValueError("module inputs and input_layouts should have same length!")
                each = zip(args, self.input_layouts, self.desired_input_layouts, strict=True)
                args = tuple(self._one(value, device_mesh, *ends) for value, *ends in each)
            wanted = self.desired_input_kwarg_layouts
            named = {name: self._one(value, device_mesh, self.input_kwarg_layouts.get(name), wanted.get(name))
                     for name, value in kwargs.items()}  # fmt: skip
            return args, named

        module.register_forward_pre_hook(enter, with_kwargs=True)
        return module


class PrepareModuleOutput(ParallelStyle):
    """A module's outputs, from the layouts that they have to those that are wanted."""

    def __init__(self, *, output_layouts, desired_output_layouts, use_local_output=True):
        self.output_layouts = _several(output_layouts)
        self.desired_output_layouts = _several(desired_output_layouts)
        self.use_local_output = use_local_output
        if len(self.output_layouts) != len(self.desired_output_layouts):
            raise AssertionError("output_layouts and desired_output_layouts should have same length!")

    def _apply(self, module, device_mesh):
        def leave(part, inputs, outputs):
            given = outputs if isinstance(outputs, tuple) else (outputs,)
            if len(given) != len(self.output_layouts):
                raise ValueError("module outputs and output_layouts should have same length!")
            made = []
            for value, layout, desired in zip(given, self.output_layouts, self.desired_output_layouts, strict=True):
                if layout is not None:
                    value = laid_out(value, device_mesh, (layout,), (desired,))
                    value = value.to_local() if self.use_local_output else value
                made.append(value)
            return tuple(made) if isinstance(outputs, tuple) else made[0]

        module.register_forward_hook(leave)
        return module


class PrepareModuleInputOutput(ParallelStyle):
    """PrepareModuleInput and PrepareModuleOutput in one."""

    def __init__(self, *, input_layouts=None, desired_input_layouts=None, input_kwarg_layouts=None,
                 desired_input_kwarg_layouts=None, use_local_input=False, output_layouts, desired_output_layouts,
                 use_local_output=True):  # fmt: skip
        self.prepare_module_input = PrepareModuleInput(
            input_layouts=input_layouts, desired_input_layouts=desired_input_layouts,
            input_kwarg_layouts=input_kwarg_layouts, desired_input_kwarg_layouts=desired_input_kwarg_layouts,
            use_local_output=use_local_input,
        )  # fmt: skip
        self.prepare_module_output = PrepareModuleOutput(
            output_layouts=output_layouts, desired_output_layouts=desired_output_layouts,
            use_local_output=use_local_output,
        )  # fmt: skip

    def _apply(self, module, device_mesh):
        self.prepare_module_input._apply(module, device_mesh)
        return self.prepare_module_output._apply(module, device_mesh)

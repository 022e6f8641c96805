"""Tensors as Python objects: classes, old constructors, attributes, copies, formats, devices, named tuples."""

import copy

import numpy as np
import pytest

from tests.expressions import same_expressions

GROUPS = {
    "classes": """
        isinstance(x,torch.Tensor)
        isinstance(x,torch.FloatTensor)
        isinstance(x,torch.DoubleTensor)
        isinstance(i,torch.LongTensor)
        isinstance(i,torch.FloatTensor)
        isinstance(x>1,torch.BoolTensor)
        isinstance(x.half(),torch.HalfTensor)
        isinstance(x.bfloat16(),torch.BFloat16Tensor)
        isinstance(1,torch.FloatTensor)
        issubclass(torch.FloatTensor,torch.Tensor)
        isinstance(x,torch.cuda.FloatTensor)
        torch.is_tensor(x)
        torch.is_tensor(1)
        torch.is_tensor(n)
        torch.is_storage(x)
        torch.typename(x)
        torch.typename(i)
        torch.typename(1)
        torch.typename('a')
        torch.typename(None)
        torch.typename([])
        torch.typename(torch)
        torch.typename(torch.Tensor)
        torch.typename(torch.float32)
        torch.typename(torch.nn.Linear)
        torch.typename(torch.nn.Linear(1,1))
        torch.typename(torch.nn.Parameter(x))
        torch.typename(torch.Size([1]))
        torch.typename(torch.device('cpu'))
        torch.typename(torch.add)
        torch.typename(torch.relu)
        torch.typename(torch.Tensor.add)
        torch.typename(torch.Generator())
        torch.typename(np.zeros(1))
    """,
    "legacy": """
        torch.FloatTensor([1,2])
        torch.FloatTensor(2,3).shape
        torch.FloatTensor()
        torch.FloatTensor((1,2))
        torch.FloatTensor(np.array([1,2]))
        torch.FloatTensor(np.array([1,2],np.int32)).dtype
        torch.FloatTensor(x) is x
        torch.FloatTensor(x.tolist())
        torch.FloatTensor('a')
        torch.FloatTensor(1.5)
        torch.FloatTensor(None)
        torch.FloatTensor([[1,2],[3]])
        torch.FloatTensor(torch.Size([2,2])).shape
        torch.FloatTensor([True])
        torch.FloatTensor(-1)
        torch.LongTensor([1,2])
        torch.LongTensor([1.5])
        torch.LongTensor(2,1).shape
        torch.LongTensor([[1],[2]])
        torch.LongTensor(range(3))
        torch.IntTensor([1]).dtype
        torch.ShortTensor([1]).dtype
        torch.CharTensor([1]).dtype
        torch.ByteTensor([1,2])
        torch.ByteTensor([True])
        torch.BoolTensor([True,False])
        torch.BoolTensor([1,0])
        torch.BoolTensor(2).shape
        torch.DoubleTensor([1]).dtype
        torch.HalfTensor([1]).dtype
        torch.BFloat16Tensor([1]).dtype
        torch.FloatTensor.dtype
        torch.FloatTensor.__name__
        torch.FloatTensor
        torch.FloatTensor.is_cuda
        torch.FloatTensor([1],device='cpu')
        torch.FloatTensor([1],device='cuda')
        torch.Tensor(2,3).shape
        torch.Tensor([1,2])
        torch.Tensor([[1,2],[3,4]])
        torch.Tensor(3).shape
        torch.Tensor()
        torch.Tensor(x) is x
        torch.Tensor(i)
        torch.Tensor(1.5)
        torch.Tensor('a')
        torch.Tensor(None)
        torch.Tensor(np.array([1,2]))
        torch.Tensor(np.float32(3))
        torch.Tensor(np.int64(3)).shape
        torch.Tensor((1,2))
        torch.Tensor(torch.Size([2,3])).shape
        torch.Tensor([1,2],dtype=torch.int64)
        torch.Tensor(2,3,dtype=torch.float64)
        torch.Tensor([x[0,0],x[0,1]])
        torch.Tensor(range(3))
        torch.Tensor(2,'a')
        torch.Tensor([],device='cpu')
        torch.Tensor(device='cpu').shape
        torch.Tensor(data=[1])
        torch.Tensor(*x.shape).shape
        torch.Tensor(torch.tensor(3))
    """,
    "new": """
        x.type()
        x.type('torch.DoubleTensor')
        x.type(torch.LongTensor)
        x.type(torch.float16).dtype
        x.type('a')
        x.type('torch.fooTensor')
        x.new_tensor([1,2])
        i.new_tensor([1.7])
        x.new_tensor(x)
        x.new_tensor(5)
        x.new_tensor([1],dtype=torch.int8)
        x.new_zeros(2,3)
        x.new_zeros((2,))
        x.new_ones(2,dtype=torch.bool)
        x.new_full((2,),7)
        i.new_full((2,),1.5)
        x.new_empty(2,3).shape
        x.new_empty((2,),dtype=torch.int32).dtype
        x.new_zeros(2,requires_grad=True)
        x.new_zeros(-1)
        x.new_zeros('a')
        x.new_zeros(size=(2,))
        x.new_zeros([2,2]).shape
        x.new_zeros()
        x.new_ones(())
    """,
    "attributes": """
        set_attr(x)
        x.foo
        del_attr(x)
        getattr(x,'foo',3)
        hasattr(x,'foo')
        set_ro(x,'shape',1)
        set_ro(x,'dtype',1)
        set_ro(x,'device','cpu')
        set_ro(x,'ndim',1)
        set_ro(x,'is_leaf',1)
        set_ro(x,'grad_fn',1)
        set_ro(x,'data',x)
        set_ro(x,'data',1)
        set_ro(x,'requires_grad',1)
        set_ro(i,'requires_grad',True)
        set_ro(x,'grad',1)
        set_ro(x,'T',1)
        copied_attr(x)
        deep_attr(x)
        type(x).__module__
        type(x).__qualname__
        x.__class__ is torch.Tensor
        x.__module__
        torch.Tensor.__name__
    """,
    "copies": """
        copy.copy(x)
        copy.copy(x) is x
        copy.deepcopy(x)
        copy.deepcopy([x,x])[0] is copy.deepcopy([x,x])[1]
        same_deep(x)
        copy.deepcopy(r)
        copy.deepcopy(r*2)
        copy.copy(r)
        copy.copy(r).is_leaf
        copy.deepcopy(withgrad(r)).grad
        pickle.loads(pickle.dumps(x))
        pickle.loads(pickle.dumps(r))
        pickle.loads(pickle.dumps(r*2))
        pickle.loads(pickle.dumps(i))
        pickle.loads(pickle.dumps(x.bfloat16()))
        pickle.loads(pickle.dumps(c))
        pickle.loads(pickle.dumps(x[:,::2]))
        pickle.loads(pickle.dumps(torch.tensor(3)))
        pickle.loads(pickle.dumps(torch.float32)) is torch.float32
        pickle.loads(pickle.dumps(torch.device('cuda:1')))
        pickle.loads(pickle.dumps(torch.strided)) is torch.strided
        pickle.loads(pickle.dumps(torch.channels_last)) is torch.channels_last
        copy.deepcopy(torch.float32) is torch.float32
        copy.deepcopy(torch.device('cpu'))
        copy.copy(torch.device('cpu')) == torch.device('cpu')
    """,
    "formats": """
        f"{x[0,0]}"
        f"{x[0,0]:.2f}"
        f"{x[0,1]:+.3e}"
        f"{i[0]:d}"
        f"{i[0]:03d}"
        f"{x[0]:.2f}"
        f"{x}"
        "%d" % i[0]
        "%.2f" % x[0,1]
        "%s" % x[0,1]
        "{:>8}".format(x[0,1])
        "{}".format(r[0])
        f"{r[0]:.1f}"
        f"{(x>1)[0,0]}"
        str(i)
        repr(i)
        format(torch.tensor(True))
        format(c,'.1f')
    """,
    "devices": """
        torch.set_default_device('cpu')
        torch.get_default_device()
        devctx('cpu')
        devctx('meta')
        devset('meta')
        devset(None)
        devset('foo')
        torch.device('cpu')
        torch.device('cuda:1')
        torch.device('cuda',1)
        torch.device('cuda',1).index
        torch.device('cpu').index
        torch.device('cpu:0')
        torch.device('cpu')==torch.device('cpu:0')
        torch.device(torch.device('cpu'))
        torch.device('foo')
        torch.device('cuda:a')
        torch.device('cuda:-1')
        torch.device(1.5)
        torch.device(None)
        torch.device()
        torch.device(type='cpu')
        torch.device('cuda',index=2)
        str(torch.device('cuda:1'))
        hash(torch.device('cpu'))==hash(torch.device('cpu'))
        {torch.device('cpu'):1}[torch.device('cpu')]
        torch.device('cpu')=='cpu'
        torch.device('cpu')!='cpu'
        torch.device('cuda',1).type
        torch.device('cpu') in [torch.device('cpu')]
        torch.zeros(2,device='cuda')
        torch.zeros(2,device='foo')
        torch.zeros(2,device=torch.device('meta'))
        torch.zeros(2,device='meta').is_meta
        torch.zeros(2,device='cpu:0').device
    """,
    "moves": """
        x.to('cpu') is x
        x.to(torch.device('cpu')) is x
        x.to('meta').device
        x.cuda()
        x.cpu() is x
        x.to('cuda')
        x.to(None)
        x.to()
        x.to(torch.float32) is x
        x.to(i).dtype
        x.to('cpu',torch.int32).dtype
        x.to(dtype=torch.int32,copy=True).dtype
        x.to(torch.float32,copy=True) is x
    """,
    "predicates": """
        x.is_shared()
        x.is_pinned()
        x.element_size()
        x.itemsize
        x.nbytes
        x.nelement()
        x.ndimension()
        x.dim()
        x.T.is_contiguous()
        x.mT.shape
        x.H.shape
        x[0].T
        x[0].mT
        x.real is x
        x.imag
        c.real
        c.imag
        c.H
        x.is_complex()
        x.is_floating_point()
        i.is_signed()
        x.is_inference()
        x.is_nonzero()
        torch.tensor(1).is_nonzero()
        torch.is_nonzero(torch.tensor([1,2]))
        torch.numel(x)
        torch.numel(3)
        torch.is_floating_point(i)
        torch.is_complex(1)
        torch.is_same_size(x,1)
        x.output_nr
        x.grad_dtype
        x.retains_grad
        r.is_leaf
        (r*2).is_leaf
        (r*2)._version
        x._version
        x.data._version
        x._is_view()
        x[0]._is_view()
        x[0]._base is x
        x.names
        x.rename('a','b')
        x.storage_offset()
        x[1].storage_offset()
    """,
    "dtypes": """
        x.dtype.is_floating_point
        torch.float32.itemsize
        torch.float32.to_complex()
        torch.complex64.to_real()
        torch.float32.is_signed
        torch.float32 == torch.float
        torch.float32
        str(torch.long)
        hash(torch.float32)==hash(torch.float)
        isinstance(torch.float32,torch.dtype)
        torch.layout
        torch.strided
        torch.channels_last
        torch.preserve_format
        x.layout==torch.strided
        torch.finfo(torch.float32).max
        torch.finfo(torch.float16)
        torch.iinfo(torch.int8).min
        torch.iinfo(torch.int32)
        torch.finfo(torch.int32)
        torch.iinfo(torch.float32)
        torch.finfo().dtype
        torch.pi
        torch.inf
        torch.nan
        torch.e
        torch.newaxis
        torch.inf==float('inf')
    """,
    "named_tuples": """
        torch.typename(torch.max(x,0))
        torch.max(x,0)
        torch.max(x,0)[0]
        torch.max(x,0).indices
        x.topk(2).values
        x.sort().indices
        tuple(x.max(1))
        len(x.max(1))
        second(x.max(1))
        type(x.max(1)).__name__
        type(x.max(1)).__module__
        isinstance(x.max(1),tuple)
        isinstance(x.max(1),torch.return_types.max)
        x.max(1).foo
        pickle.loads(pickle.dumps(x.max(1)))
        copy.copy(x.max(1))
        str(x.median(0))
        x.max(1).__match_args__
        torch.return_types.max((x,i))
        torch.return_types.topk.n_fields
        x.max(1).n_fields
    """,
    "rest": """
        torch.manual_seed(3).__class__.__name__
        torch.Generator().device
        torch.Generator('cpu').initial_seed()
        torch.Generator(device='foo')
        torch._C._disabled_torch_function_impl is not None
        torch.Tensor.__torch_function__.__name__
        torch.Tensor.add is torch.Tensor.add
        torch.is_grad_enabled()
        torch.no_grad.__name__
        callable(torch.Tensor)
        torch.Tensor.shape.__class__.__name__ in ('property','getset_descriptor')
        x.__array_priority__
        x.__len__()
        x.__iter__().__class__.__name__ is not None
        x.__getitem__(0)
        x.__contains__(1.)
    """,
}


def _second(torch):
    def second(x):
        a, b = x
        return b

    return second


def set_attr(x):
    x.foo = [1]
    return x.foo


def del_attr(x):
    x.foo = 1
    del x.foo
    return hasattr(x, "foo")


def set_ro(x, name, value):
    setattr(x, name, value)
    return getattr(x, name)


def copied_attr(x):
    x.foo = [1]
    return [getattr(y, "foo", None) for y in (copy.copy(x), x.clone(), x.view(-1))]


def deep_attr(x):
    x.foo = [1]
    y = copy.deepcopy(x)
    return y.foo, y.foo is x.foo


def same_deep(x):
    a = copy.deepcopy([x, x, x[0]])
    a[0].add_(1)
    return a[0] is a[1], a[2]


def withgrad(r):
    r.sum().backward()
    return r


def _devctx(torch):
    makers = (
        lambda: torch.zeros(2), lambda: torch.arange(3), lambda: torch.tensor([1]), lambda: torch.rand(2),
        lambda: torch.as_tensor([1]), lambda: torch.empty(1), lambda: torch.eye(2), lambda: torch.randperm(3),
        lambda: torch.full((1,), 2), lambda: torch.linspace(0, 1, 2), lambda: torch.nn.Linear(1, 1).weight,
        lambda: torch.randn(2), lambda: torch.randint(0, 2, (2,)), lambda: torch.zeros_like(torch.zeros(1)),
        lambda: torch.from_numpy(np.zeros(1)), lambda: torch.ones(1, device="cpu"), lambda: torch.hann_window(3),
        lambda: torch.ones(1, device="cpu").new_zeros(1), lambda: torch.FloatTensor([1]), lambda: torch.Tensor(1),
    )  # fmt: skip

    def devctx(device):
        with torch.device(device):
            return [torch.get_default_device(), *(make().device for make in makers)]

    return devctx


def _devset(torch):
    def devset(device):
        torch.set_default_device(device)
        try:
            return torch.get_default_device(), torch.zeros(1).device
        finally:
            torch.set_default_device(None)

    return devset


PLAIN = (set_attr, del_attr, set_ro, copied_attr, deep_attr, same_deep, withgrad)
FUNCTIONS = {"second": _second, "devctx": _devctx, "devset": _devset} | {
    fn.__name__: (lambda torch, fn=fn: fn) for fn in PLAIN
}


@pytest.mark.parametrize("name", GROUPS)
def test_expressions(name):
    same_expressions(GROUPS[name], **FUNCTIONS)

"""Tensors in Python's protocols: Size, truth, numbers, equality, operators with strangers, NumPy, iteration."""

import operator

import pytest

from tests.expressions import same_expressions

GROUPS = {
    "Size": """
        S([2,3])+S([4])
        S([2,3])+(4,)
        (4,)+S([2,3])
        S([2,3])+[4]
        S([2,3])*2
        2*S([2,3])
        S([2,3])[1:]
        S([2,3])[0]
        S([2,3]).numel()
        S(()).numel()
        S([2,3])==(2,3)
        (2,3)==S([2,3])
        hash(S([2,3]))==hash((2,3))
        isinstance(S([2]),tuple)
        S([2,3]).count(2)
        S([2,3]).index(3)
        list(S([2,3]))
        S([2.5])
        S("ab")
        S(2)
        S()
        pickle.loads(pickle.dumps(S([2,3])))
        copy.deepcopy(S([2,3]))
        copy.copy(S([2,3]))
        S([2,3]).__class__.__mro__[1].__name__
        str(S([2,3]))
        f"{S([2,3])}"
        S(range(3))
        S(np.array([2,3]))
        S([True])
        S([2,3])[-1]
        tuple(S([2,3]))
        S([3,4])>S([3,3])
        {S([1]):2}[(1,)]
        S([1,2])[::-1]
        (*S([1,2]),)
        max(S([1,2]))
        S([1,2]).__reduce__()[0] is not None
        x.shape[0]
        x.size()[1:]
        x.shape == torch.Size([2,3])
        x.shape == [2,3]
        x.size(-1)
        x.size(2)
        x.shape.numel()
    """,
    "truth_and_numbers": """
        len(x)
        len(x[0,0])
        x in [x]
        1.0 in x
        99 in x
        x[0,0] in x
        "a" in x
        None in x
        [1] in x
        bool(x)
        bool(x[0,0])
        bool(torch.tensor([]))
        bool(torch.tensor([[1]]))
        not torch.tensor(0)
        if_(x)
        float(x)
        int(x)
        float(torch.tensor([2.7]))
        int(torch.tensor(-2.7))
        complex(torch.tensor(1.5))
        complex(c)
        float(c)
        int(torch.tensor(float('nan')))
        operator.index(i)
        operator.index(i[0])
        operator.index(x[0,0])
        operator.index(torch.tensor(True))
        operator.index(torch.tensor([[3]]))
        [10,20,30][i[0]]
        (10,20,30)[i[0]]
        'abc'[i[1]]
        range(5)[i[0]]
        list(range(i[0]))
        [1]*i[0]
        [1,2,3][i[0]:]
        [1,2,3][x[0,0]]
        math.sqrt(x[0,2])
        math.floor(torch.tensor(2.5))
        round(torch.tensor(2.567),2)
        round(torch.tensor(2.5))
        math.ceil(torch.tensor(2.5))
        math.trunc(torch.tensor(2.5))
        divmod(torch.tensor(7),3)
        divmod(7,torch.tensor(3))
        pow(torch.tensor(2.),3)
        abs(torch.tensor(-2))
    """,
    "equality": """
        hash(x)==hash(x)
        hash(x)!=hash(x.clone())
        len({x,x.clone()})
        {x:1}[x]
        x==x.clone()
        x==None
        x!=None
        x is None
        x=='a'
        x!='a'
        x==[1]
        x==(1,2)
        x=={}
        None==x
        'a'==x
        x<None
        x<'a'
        'a'<x
        x<[1]
        x>[0,1,2]
    """,
    "operators": """
        x+None
        None+x
        x+'a'
        'a'+x
        x+[1,2,3]
        [1,2,3]+x
        (1,)+x
        x+(1,2,3)
        x*'a'
        'a'*x
        [1]*x
        x*[1]
        x-None
        None-x
        x-'a'
        'a'-x
        x/None
        None/x
        x/'a'
        'a'/x
        x//None
        None//x
        x%None
        5%x[0]
        x**None
        None**x
        'a'**x
        x@2
        2@x
        x@None
        x@'a'
        x@[1,2,3]
        [1,2]@x
        x&1
        i&1
        i&True
        i&1.5
        1.5&i
        i|1
        1|i
        i^3
        3^i
        i<<1
        1<<i
        i>>1
        i<<None
        ~i
        ~x
        ~(x>1)
        -(x>1)
        (x>1)-(x>1)
        (x>1)+1
        (x>1)*2
        +x
        -x
        abs(x)
        x+{}
        x+object
    """,
    "numpy": """
        x+np.float32(1)
        np.float32(1)+x
        x+np.float64(1)
        np.float64(1)+x
        np.float64(2)*x
        x*np.float64(2)
        np.int64(2)*x
        x*np.int64(2)
        np.int64(2)**i
        i+np.int32(1)
        i*np.float64(1.5)
        np.float64(1.5)*i
        x+n
        n+x
        x*n
        n*x
        n-x
        x-n
        n/x
        x/n
        n@x.T
        x@n.T
        n==x
        x==n
        n<x
        x<n
        n**x
        x**n
        np.add(x,n)
        np.add(n,x)
        np.sin(x)
        np.argmax(x)
        np.concatenate([x,n])
        np.stack([x,n]).shape
        np.array(x)
        np.asarray(x)
        np.array([x[0],x[1]])
        np.array([1,x[0,0]])
        np.float32(x[0,0])
        np.transpose(x,(1,0))
        np.reshape(x,(3,2))
        np.squeeze(x)
        np.dot(x,n.T)
        np.allclose(x,n)
        np.where(x>1,x,n)
        np.maximum(x,n)
        np.exp(x)
        np.shape(x)
        np.ndim(x)
        np.array(r)
        np.asarray(r)
        np.zeros(3)[i[0]]
        np.arange(6)[i]
        np.zeros((2,2))[i[0]:]
        n[x>1]
    """,
    "mixed": """
        x+1j
        1j*x
        x+True
        True+x
        i+True
        i+1.5
        1.5+i
        i/2
        i//2
        i%2
        -7//torch.tensor(2)
        -7%torch.tensor(2)
        torch.tensor(-7)//2
        i**2
        2**i
        i**-1
        i**2.0
        x+x[0]
        x+x[:,:1]
        x+torch.ones(4)
        x@torch.ones(4)
        x.__add__(None)
        x.__radd__('a')
        x.__eq__(None)
        x.__lt__('a')
        x.__matmul__(None)
        x.__and__(1)
        iadd(x,1)
        iadd(x,'a')
        iadd(x,None)
        iadd(i,1.5)
        iadd(x,n)
        iadd(x,torch.ones(2,2,3))
        imul(x,[1])
        ipow(x.clone(),2)
        ior(i.clone(),1)
        ifloordiv(x.clone(),2)
        imod(x.clone(),2)
        imatmul(x,x)
    """,
    "iteration": """
        list(x)
        list(x[0])
        list(x[0,0])
        [*x]
        second(x)
        dict(enumerate(x[0]))
        list(zip(x,x))
        iter(x).__next__()
        next(iter(x))
        tuple(x[0])
        set(x[0].tolist())
        sorted(x[0])
        max(x[0])
        min(x[0])
        sum(x)
        sum(x[0])
        sum([x,x])
        any(x[0]>1)
        all(x[0]>=0)
        reversed(x)
        list(reversed(x[0]))
        reversed(x[0,0])
        enumerate(x).__next__()
        sums(x)
    """,
}


def _if(torch):
    def branch(x):
        if x:
            return "yes"

    return branch


def _second(torch):
    def second(x):
        a, b = x
        return b

    return second


def _augmented(name):
    operate = getattr(operator, name)
    return lambda torch: lambda x, other: operate(x.clone(), other)


FUNCTIONS = {
    "if_": _if,
    "second": _second,
    "sums": lambda torch: lambda x: [row.sum().item() for row in x],
    "imatmul": lambda torch: lambda x, other: operator.imatmul(x, other.T),
    **{name: _augmented(name) for name in ("iadd", "imul", "ipow", "ior", "ifloordiv", "imod")},
}


@pytest.mark.parametrize("name", GROUPS)
def test_expressions(name):
    same_expressions(GROUPS[name], **FUNCTIONS)

"""assert_close beside torch's: what it passes, and the words of each refusal."""

import numpy as np
import pytest

from tests.oracle import check

CALLS = """
T([1.,2.]), T([1.,2.5])
T([1.,2.]), T([1.,2.,3])
T([1.,2.]), T([1,2])
T([1,2]), T([1,3])
T([[1,2]]), T([[1,3]])
T(1.), T(2.)
T(1.), T(1.0000001)
1., 2.
1, 2
3, 4, rtol=0, atol=0
1, 2.
1., 1.0000001
True, False
1j, 2j
[1.,T([1.])], [1.,T([2.])]
{'a':T([1.])}, {'a':T([2.])}
{'a':T([1.])}, {'b':T([2.])}
{'a':[1,{'b':T([1.])}]}, {'a':[1,{'b':T([2.])}]}
[1.], [1.,2.]
(1,2), [1,2]
T([np.nan]), T([np.nan])
T([np.nan]), T([np.nan]), equal_nan=True
np.nan, np.nan
T([1.]), T([2.]), rtol=1.
T([1.]), T([2.]), atol=0.1
T([1.]), T([2.]), rtol=1e-3, atol=0.1, msg='hello'
[T([1.])], [T([2.])], msg=lambda m: 'X ' + m
'a', 'a'
None, None
None, T([1.])
T([True,False]), T([True,True])
T([[True]]), T([[False]]), rtol=0., atol=0.
T([1.]), T([1.]).double()
T([1.]), T([1.5]).double(), check_dtype=False
T([[1.,2.],[3,4]]).t(), T([[1.,3.],[2.,4]])
T([[1.,2.],[3,4]]).t(), T([[1.,3.],[2.,4]]), check_stride=True
T([1.]), [1.]
T(1.), 1.
T([1.]), np.array([1.],dtype='f')
np.array([1.]), np.array([2.])
np.float32(1), np.float32(2)
T([1.+1j]), T([1.+2j])
T([0.,0.]), T([0.,1.])
T([0.,1.]), T([0.,0.])
torch.zeros(2,device='meta'), torch.zeros(2,device='meta')
torch.zeros(2,device='meta'), torch.zeros(2)
T(np.inf), T(1.)
T([1.,2,3,4]), T([2.,3,4,5]), rtol=0, atol=0
T([[1,2],[3,4]]), T([[1,2],[3,5]]), rtol=0.1, atol=0
T([1.]).half(), T([1.002]).half()
T([1.,5]).bfloat16(), T([1.02,5]).bfloat16()
torch.zeros(0), torch.zeros(0)
T([1.]), torch.nn.Parameter(T([1.]))
T([1.]), torch.nn.Parameter(T([1.])), allow_subclasses=False
T([1.],requires_grad=True), T([2.])
T([1,2],dtype=torch.uint8), T([3,2],dtype=torch.uint8)
object(), object()
"""


@pytest.mark.filterwarnings("ignore")
def test_assert_close():
    for line in filter(None, CALLS.splitlines()):

        def call(torch, line=line):
            return eval(f"torch.testing.assert_close({line})", {"torch": torch, "T": torch.tensor, "np": np})

        call.__name__ = line
        check(call, grad=False)

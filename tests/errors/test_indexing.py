"""Indices, masks, gather and scatter that do not fit."""

import pytest

from tests.errors.calls import lines, refused

CALLS = """
torch.gather(x,0,1)
torch.gather(x,0)
x.masked_fill(x,1)
x.masked_fill(x>0,'a')
x.index_select(0,1)
torch.index_select(x,'a',x)
x.index_put_(1,2)
x.index_put_((x,),1)
x.scatter_(0,1,1)
x.scatter_(0,x,'a')
x.scatter_(0,x)
[1] + x
x[...,'a']
x['a']
x[1.5]
x[{}]
x[1,2,3]
x[5]
x[0,5]
x[None,None,7]
x[torch.tensor([5])]
x[torch.tensor([1.5])]
x[[5]]
x[[0,'a']]
x[torch.tensor([True])]
x[x>0,1]
x[object()]
x[::0]
x[::-1]
x['a':]
x[1.5:]
torch.tensor(1)[0]
x.__setitem__(0,'a')
x.__setitem__(5,1)
x.__setitem__(x>0,torch.ones(5))
x.__setitem__('a',1)
x.__setitem__(0,torch.ones(5))
x.__setitem__((0,0),torch.ones(5))
x.__setitem__(0,[1,2,3])
x.__setitem__(0,None)
x.__setitem__(torch.tensor([0,1]),torch.ones(5))
x.__delitem__(0)
torch.gather(x,0,x,0)
torch.gather(x,dim=0)
torch.gather(x,index=0)
torch.gather(index=0)
torch.index_put(x,1,x)
torch.index_put(x,(1,),x)
torch.masked_select(x,1)
torch.take(x,1)
torch.scatter_add(x,0,1,1)
torch.index_add(x,0,1,x)
x.masked_fill(x.long(),1)
x.masked_fill(torch.ones(4)>0,1)
x.masked_fill(x>0,torch.ones(2))
x.masked_fill(x>0,1j)
x.masked_fill_(torch.ones(5,2,3)>0,1)
x.masked_scatter(x>0,torch.ones(6).long())
torch.masked_select(x,x)
torch.masked_select(x,torch.ones(4)>0)
x.gather(0,x)
x.gather(2,x.long())
x.gather(0,torch.zeros(2,4).long())
x.gather(0,torch.zeros(2).long())
x.scatter(0,x,x)
x.scatter(0,torch.zeros(3,3).long(),x)
x.scatter(0,torch.zeros(2,4).long(),x)
x.scatter(0,torch.zeros(2).long(),x)
x.scatter(0,torch.zeros(2,3).long(),x.double())
x.scatter(2,torch.zeros(2,3).long(),x)
x.scatter_add(0,torch.zeros(2,3).long(),x.double())
x.scatter_add(0,torch.zeros(2,3),x)
x.scatter(0,torch.zeros(2,3).long(),x,reduce='foo')
x.scatter_reduce(0,torch.zeros(2,3).long(),x,'foo')
x.scatter_reduce(0,torch.zeros(2,3).long(),x)
x.index_select(0,x)
x.index_select(0,x.long())
x.index_select(2,torch.tensor([0]))
x.index_select(0,torch.tensor([5]))
x.index_select(0,torch.tensor([0.5]))
torch.tensor(1.).index_select(0,torch.tensor([0,1]))
x.index_add(0,torch.tensor([0]),torch.ones(2,3))
x.index_add(0,torch.tensor([0]),torch.ones(1,4))
x.index_add(0,torch.tensor([5]),torch.ones(1,3))
x.index_add(0,torch.tensor([0.]),torch.ones(1,3))
x.index_add(0,torch.tensor([0]),torch.ones(1,3).double())
x.index_add(2,torch.tensor([0]),torch.ones(1,3))
x.index_copy(0,torch.tensor([0]),torch.ones(2,3))
x.index_copy(0,torch.tensor([0]),torch.ones(1,3).double())
x.index_copy(0,torch.tensor([5]),torch.ones(1,3))
x.index_fill(0,torch.tensor([5]),1)
x.index_fill(0,torch.tensor([0.]),1)
x.index_fill(0,torch.tensor([0]),torch.ones(2))
x.take(torch.tensor([7]))
x.take(x)
torch.take_along_dim(x,torch.zeros(2,3),0)
torch.take_along_dim(x,torch.zeros(2).long(),0)
x.put_(torch.tensor([7]),torch.tensor([1.]))
x.put_(torch.tensor([0]),torch.tensor([1.,2.]))
x.__index__()
[1,2][torch.tensor(1.)]
[1,2][x]
[*torch.tensor(1.)]
x.gather(0,torch.tensor([[5]]))
x.gather(1,torch.tensor([[-1]]))
torch.gather(x,-1,torch.tensor([[3]]))
x.scatter(0,torch.tensor([[5]]),x)
x.scatter(0,torch.tensor([[5]]),1.0)
x.scatter_(1,torch.tensor([[0,3]]),2.0)
x.scatter_add(0,torch.tensor([[5]]),x)
x.scatter_reduce(0,torch.tensor([[5]]),x,'sum')
torch.index_select(x,1,torch.tensor([0,-1]))
x.index_fill_(1,torch.tensor([-4]),1)
torch.take(x,torch.tensor([-7]))
"""


@pytest.mark.parametrize("line", lines(CALLS))
def test_torch_refuses(line):
    refused(line)

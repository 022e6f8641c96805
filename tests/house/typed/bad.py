"""Code of a user with mistakes; the word after each `#` is the rule that pyright must name there, and no other line."""

import jtorch as torch
import jtorch.nn.functional as F
from jtorch import nn

x = torch.ones(2, 2)
_ = x.shap  # reportAttributeAccessIssue
x.sum(dim="0")  # reportArgumentType
x.reshape("a")  # reportArgumentType, reportCallIssue
x.unsqueeze()  # reportCallIssue
_ = x + "1"  # reportOperatorIssue
x.clamp(low=0)  # reportCallIssue
torch.zeroes(2)  # reportAttributeAccessIssue
_ = torch.api  # reportAttributeAccessIssue
torch.cat(x, axis_=1)  # reportCallIssue
_ = torch.sort(x).index_  # reportAttributeAccessIssue
_ = torch.linalg.svd(x).V  # reportAttributeAccessIssue
torch.fft.fft(x, norm=1)  # reportArgumentType
torch.ones(2, dtype="float32")  # reportArgumentType, reportCallIssue
F.relu(x, inplace=3)  # reportArgumentType
F.relu2(x)  # reportAttributeAccessIssue
nn.Linear("3", 4)  # reportArgumentType
text: str = x.sum()  # reportAssignmentType
count: int = x.shape  # reportAssignmentType
x.grad.zero_()  # reportOptionalMemberAccess

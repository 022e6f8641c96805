"""torch.special's other names for functions of the torch namespace."""

from jtorch.api.put import DOORS, FUNCTIONS
from jtorch.api.variants import build
from jtorch.ops.op import TABLE

_NAMES = {
    "expit": "sigmoid", "gammainc": "igamma", "gammaincc": "igammac", "gammaln": "lgamma", "multigammaln": "mvlgamma",
    "psi": "digamma",
}  # fmt: skip
_NAMES |= {
    name: name
    for name in ("digamma", "erf", "erfc", "erfinv", "exp2", "expm1", "i0", "log1p", "log_softmax", "logit",
                 "logsumexp", "polygamma", "round", "sinc", "softmax", "xlogy")
}  # fmt: skip

for _name, _at_torch in _NAMES.items():
    DOORS["special"][_name] = FUNCTIONS.get(_at_torch) or build(TABLE[_at_torch], f"special_{_name}")

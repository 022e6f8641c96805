"""torch.backends.cudnn.rnn: the precision of recurrent layers on cuda."""

from jtorch.backends import precision, switches

switches.become(__name__, fp32_precision=precision.switch("cuda", "rnn"))

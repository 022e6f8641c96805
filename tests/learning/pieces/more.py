"""Actor and critic, deep Q-learning, experts, graphs, distillation, pruning, parametrizations, hooks, as learners write them."""

import random
from collections import deque, namedtuple

import numpy as np
import torch
import torch.autograd.forward_ad as fwAD
import torch.nn as nn
import torch.nn.functional as F
import torch.nn.utils.parametrize as parametrize
import torch.nn.utils.prune as prune
import torch.optim as optim

torch.manual_seed(0)
random.seed(0)
# actor-critic
SavedAction = namedtuple("SavedAction", ["log_prob", "value"])


class Policy(nn.Module):
    def __init__(self):
        super().__init__()
        self.affine1 = nn.Linear(4, 16)
        self.action_head = nn.Linear(16, 2)
        self.value_head = nn.Linear(16, 1)
        self.saved_actions = []
        self.rewards = []

    def forward(self, x):
        x = F.relu(self.affine1(x))
        return F.softmax(self.action_head(x), dim=-1), self.value_head(x)


model = Policy()
optimizer = optim.Adam(model.parameters(), lr=3e-2)
eps = np.finfo(np.float32).eps.item()
rng = np.random.default_rng(0)


def select_action(state):
    state = torch.from_numpy(state).float()
    probs, state_value = model(state)
    action = torch.multinomial(probs, 1)[0]
    model.saved_actions.append(SavedAction(probs.log()[action], state_value))
    return action.item()


def finish_episode():
    R = 0
    saved_actions = model.saved_actions
    policy_losses = []
    value_losses = []
    returns = []
    for r in model.rewards[::-1]:
        R = r + 0.99 * R
        returns.insert(0, R)
    returns = torch.tensor(returns)
    returns = (returns - returns.mean()) / (returns.std() + eps)
    for (log_prob, value), R in zip(saved_actions, returns):
        advantage = R - value.item()
        policy_losses.append(-log_prob * advantage)
        value_losses.append(F.smooth_l1_loss(value, torch.tensor([R])))
    optimizer.zero_grad()
    loss = torch.stack(policy_losses).sum() + torch.stack(value_losses).sum()
    loss.backward()
    optimizer.step()
    del model.rewards[:]
    del model.saved_actions[:]
    return loss.item()


for i_episode in range(3):
    state = rng.standard_normal(4)
    acts = []
    for t in range(6):
        action = select_action(state)
        acts.append(action)
        model.rewards.append(float(action == (state[0] > 0)))
        state = rng.standard_normal(4)
    print(acts, finish_episode())
# REINFORCE
# DQN, tensors in memory
Transition = namedtuple("Transition", ("state", "action", "next_state", "reward"))


class DQN(nn.Module):
    def __init__(self, n, a):
        super().__init__()
        self.layer1 = nn.Linear(n, 16)
        self.layer3 = nn.Linear(16, a)

    def forward(self, x):
        return self.layer3(F.relu(self.layer1(x)))


policy_net, target_net = DQN(4, 2), DQN(4, 2)
target_net.load_state_dict(policy_net.state_dict())
optimizer = optim.AdamW(policy_net.parameters(), lr=1e-2, amsgrad=True)
memory = deque([], maxlen=100)
state = torch.tensor(rng.standard_normal(4), dtype=torch.float32).unsqueeze(0)
for t in range(8):
    with torch.no_grad():
        action = policy_net(state).max(1).indices.view(1, 1)
    reward = torch.tensor([rng.standard_normal()], dtype=torch.float32)
    next_state = None if t % 4 == 3 else torch.tensor(rng.standard_normal(4), dtype=torch.float32).unsqueeze(0)
    memory.append(Transition(state, action, next_state, reward))
    state = next_state if next_state is not None else torch.zeros(1, 4)
    if len(memory) < 6:
        continue
    batch = Transition(*zip(*random.sample(memory, 4)))
    non_final_mask = torch.tensor(tuple(map(lambda s: s is not None, batch.next_state)), dtype=torch.bool)
    non_final_next_states = torch.cat([s for s in batch.next_state if s is not None])
    state_action_values = policy_net(torch.cat(batch.state)).gather(1, torch.cat(batch.action))
    next_state_values = torch.zeros(4)
    with torch.no_grad():
        next_state_values[non_final_mask] = target_net(non_final_next_states).max(1).values
    expected = (next_state_values * 0.99) + torch.cat(batch.reward)
    loss = nn.SmoothL1Loss()(state_action_values, expected.unsqueeze(1))
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_value_(policy_net.parameters(), 100)
    optimizer.step()
    sd, pd = target_net.state_dict(), policy_net.state_dict()
    for key in pd:
        sd[key] = pd[key] * 0.005 + sd[key] * 0.995
    target_net.load_state_dict(sd)
    print(action.item(), loss.item(), target_net.layer1.bias[:3])


# MoE
class MoE(nn.Module):
    def __init__(self, d, n, k):
        super().__init__()
        self.experts = nn.ModuleList(
            [nn.Sequential(nn.Linear(d, 2 * d), nn.GELU(), nn.Linear(2 * d, d)) for _ in range(n)]
        )
        self.gate = nn.Linear(d, n, bias=False)
        self.k = k

    def forward(self, x):
        logits = self.gate(x)
        w, sel = torch.topk(logits, self.k)
        w = F.softmax(w, dim=1, dtype=torch.float).to(x.dtype)
        out = torch.zeros_like(x)
        for i, expert in enumerate(self.experts):
            idx, nth = torch.where(sel == i)
            out[idx] += w[idx, nth, None] * expert(x[idx])
        return out


m = MoE(4, 3, 2)
x = torch.randn(6, 4)
y = m(x)
y.pow(2).sum().backward()
print(y, m.gate.weight.grad, m.experts[1][0].bias.grad)
# siamese + triplet
net = nn.Linear(4, 3)
a, b, c = torch.randn(3, 5, 4).unbind(0)
d = F.pairwise_distance(net(a), net(b), keepdim=True)
lab = torch.tensor([0.0, 1, 0, 1, 1]).unsqueeze(1)
contr = torch.mean((1 - lab) * d.pow(2) + lab * torch.clamp(2.0 - d, min=0.0).pow(2))
print(
    contr,
    nn.TripletMarginLoss()(net(a), net(b), net(c)),
    F.cosine_similarity(net(a), net(b)),
    nn.CosineEmbeddingLoss()(a, b, torch.tensor([1, -1, 1, 1, -1])),
)
# GCN / GAT dense
A = (torch.rand(6, 6) > 0.6).float()
A = ((A + A.t()) > 0).float() + torch.eye(6)
deg = A.sum(1)
dinv = deg.pow(-0.5)
dinv[dinv == float("inf")] = 0
Ahat = dinv[:, None] * A * dinv[None]


class GAT(nn.Module):
    def __init__(self, i, o, h):
        super().__init__()
        self.h, self.o = h, o
        self.W = nn.Parameter(torch.empty(i, o * h))
        self.a = nn.Parameter(torch.empty(h, 2 * o, 1))
        nn.init.xavier_normal_(self.W)
        nn.init.xavier_normal_(self.a)
        self.lr = nn.LeakyReLU(0.2)

    def forward(self, h, adj):
        n = h.shape[0]
        h = torch.mm(h, self.W).view(n, self.h, self.o).permute(1, 0, 2)
        s, t = torch.matmul(h, self.a[:, : self.o]), torch.matmul(h, self.a[:, self.o :])
        e = self.lr(s + t.mT)
        e = torch.where(adj > 0, e, -9e16 * torch.ones_like(e))
        att = F.softmax(e, dim=-1)
        return torch.matmul(att, h).permute(1, 0, 2).contiguous().view(n, -1)


gcn = nn.Linear(5, 3)
x = torch.randn(6, 5)
print(F.log_softmax(Ahat @ gcn(x), 1))
g = GAT(5, 2, 2)
o = g(x, A)
o.sum().backward()
print(F.elu(o), g.a.grad.squeeze())

# distillation
T = 2.0
s, t = torch.randn(4, 5, requires_grad=True), torch.randn(4, 5)
soft_t = F.softmax(t / T, dim=-1)
soft_p = F.log_softmax(s / T, dim=-1)
l = torch.sum(soft_t * (soft_t.log() - soft_p)) / soft_p.size()[0] * T**2
l.backward()
print(l, nn.KLDivLoss(reduction="batchmean")(soft_p, soft_t), s.grad)


# pruning
class LeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 3, 3)
        self.fc1 = nn.Linear(6, 4)

    def forward(self, x):
        return self.fc1(F.max_pool2d(F.relu(self.conv1(x)), 2).flatten(1)[:, :6])


m = LeNet()
module = m.conv1
print(list(module.named_parameters())[0][0], list(module.named_buffers()))
torch.manual_seed(4)
prune.random_unstructured(module, name="weight", amount=0.3)
print(
    [n for n, _ in module.named_parameters()],
    list(module.named_buffers())[0][1][0],
    module.weight[0],
    module._forward_pre_hooks.__len__(),
)
prune.l1_unstructured(module, name="bias", amount=1)
print(module.bias, module._forward_pre_hooks.values()) if False else print(module.bias)
prune.ln_structured(module, name="weight", amount=0.5, n=2, dim=0)
print(module.weight.sum((1, 2, 3)), m.state_dict().keys())
prune.remove(module, "weight")
print([n for n, _ in module.named_parameters()], prune.is_pruned(m))
prune.global_unstructured(((m.conv1, "weight"), (m.fc1, "weight")), pruning_method=prune.L1Unstructured, amount=0.4)
print("Sparsity: {:.2f}%".format(100.0 * float(torch.sum(m.fc1.weight == 0)) / float(m.fc1.weight.nelement())))


class FooBarPruningMethod(prune.BasePruningMethod):
    PRUNING_TYPE = "unstructured"

    def compute_mask(self, t, default_mask):
        mask = default_mask.clone()
        mask.view(-1)[::2] = 0
        return mask


def foobar_unstructured(module, name):
    FooBarPruningMethod.apply(module, name)
    return module


m = LeNet()
foobar_unstructured(m.fc1, name="bias")
print(m.fc1.bias_mask, m.fc1.bias)


# parametrizations
class Symmetric(nn.Module):
    def forward(self, X):
        return X.triu() + X.triu(1).transpose(-1, -2)

    def right_inverse(self, A):
        return A.triu()


class MatrixExponential(nn.Module):
    def forward(self, X):
        return torch.matrix_exp(X)


class Skew(nn.Module):
    def forward(self, X):
        A = X.triu(1)
        return A - A.transpose(-1, -2)


layer = nn.Linear(3, 3)
parametrize.register_parametrization(layer, "weight", Symmetric())
A = layer.weight
print(torch.allclose(A, A.T), A, layer, type(layer).__name__)
layer.weight = torch.ones(3, 3).triu()
print(layer.weight)
layer = nn.Linear(3, 3)
parametrize.register_parametrization(layer, "weight", Skew())
parametrize.register_parametrization(layer, "weight", MatrixExponential())
X = layer.weight
print(
    torch.dist(X.T @ X, torch.eye(3)).item() < 1e-5,
    X,
    dict(layer.named_parameters()).keys(),
    parametrize.is_parametrized(layer),
)
with parametrize.cached():
    print((layer.weight is layer.weight))
parametrize.remove_parametrizations(layer, "weight", leave_parametrized=False)
print(
    layer,
    torch.nn.utils.parametrizations.weight_norm(nn.Linear(2, 3), name="weight"),
    torch.nn.utils.parametrizations.spectral_norm(nn.Linear(2, 3)),
)
# forward-mode, hooks, save_on_cpu
with fwAD.dual_level():
    dual = fwAD.make_dual(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 0.0]))
    print(fwAD.unpack_dual(dual**2))
a = torch.randn(3, requires_grad=True)
y = a * a
print(y.grad_fn._saved_self is a, torch.equal(y.grad_fn._saved_self, a))
y = a.exp()
print(y.grad_fn._saved_result is y, torch.equal(y.grad_fn._saved_result, y))
with torch.autograd.graph.saved_tensors_hooks(lambda t: t.tolist(), lambda l: torch.tensor(l)):
    z = (a * a).sum()
z.backward()
print(a.grad - 2 * a)
# optimizer in backward; schedulers; swa
model = nn.Linear(2, 1)
od = {p: optim.SGD([p], lr=0.1) for p in model.parameters()}


def hook(p):
    od[p].step()
    od[p].zero_grad()


for p in model.parameters():
    p.register_post_accumulate_grad_hook(hook)
model(torch.ones(1, 2)).sum().backward()
print(model.weight, model.weight.grad)
model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1))
opt = optim.SGD(
    [{"params": model[0].parameters()}, {"params": model[1].parameters(), "lr": 1e-3}], lr=1e-2, momentum=0.9
)
sch = optim.lr_scheduler.ExponentialLR(opt, gamma=0.9)
sch2 = optim.lr_scheduler.MultiStepLR(opt, milestones=[1, 3], gamma=0.1)
for _ in range(3):
    opt.zero_grad()
    model(torch.ones(1, 2)).sum().backward()
    opt.step()
    sch.step()
    sch2.step()
    print(sch.get_last_lr(), sch2.get_last_lr())
print(opt)
# conv VAE, fast style pieces
x = torch.rand(2, 1, 8, 8)
e = nn.Sequential(nn.Conv2d(1, 4, 3, 2, 1), nn.ReLU(), nn.Flatten())
d = nn.Sequential(nn.Unflatten(1, (4, 4, 4)), nn.ConvTranspose2d(4, 1, 3, 2, 1, output_padding=1), nn.Sigmoid())
h = e(x)
rec = d(h + 0.1 * torch.randn_like(h))
print(rec.shape, F.binary_cross_entropy(rec, x, reduction="sum"))


class UpsampleConvLayer(nn.Module):
    def __init__(self):
        super().__init__()
        self.pad = nn.ReflectionPad2d(1)
        self.conv2d = nn.Conv2d(1, 2, 3, 1)
        self.norm = nn.InstanceNorm2d(2, affine=True)

    def forward(self, x):
        return self.norm(self.conv2d(self.pad(F.interpolate(x, mode="nearest", scale_factor=2))))


print(UpsampleConvLayer()(x).std(), nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True)(x)[0, 0, 1])

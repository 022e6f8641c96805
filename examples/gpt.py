"""A small GPT that learns to add: characters in, the next character out, with a causal mask and weight sharing."""

import argparse
import math
import random

import jtorch as torch
import jtorch.nn.functional as F
from jtorch import nn

ALPHABET = "0123456789+=."
DIGITS = 2


def problems(count, rng):
    """Texts such as "27+05=23." with the sum backwards, which is how one adds."""
    texts = []
    for _ in range(count):
        a, b = rng.randrange(10**DIGITS), rng.randrange(10**DIGITS)
        texts.append(f"{a:0{DIGITS}}+{b:0{DIGITS}}={str(a + b)[::-1]:0<{DIGITS + 1}}.")
    return torch.tensor([[ALPHABET.index(c) for c in text] for text in texts])


class Block(nn.Module):
    """Attention to what came before, then a small network, each on a normalised copy. Shape: (B, T, C) -> (B, T, C)."""

    def __init__(self, width, heads, dropout):
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.ln_1, self.ln_2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.c_attn, self.c_proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.mlp = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width), nn.Dropout(dropout)
        )

    def attention(self, x):
        B, T, C = x.size()
        q, k, v = self.c_attn(x).split(C, dim=2)
        q, k, v = (t.view(B, T, self.heads, C // self.heads).transpose(1, 2) for t in (q, k, v))
        y = F.scaled_dot_product_attention(q, k, v, dropout_p=self.dropout if self.training else 0.0, is_causal=True)
        return self.c_proj(y.transpose(1, 2).contiguous().view(B, T, C))

    def forward(self, x):
        x = x + self.attention(self.ln_1(x))
        return x + self.mlp(self.ln_2(x))


class GPT(nn.Module):
    """Shape: (B, T) whole numbers -> (B, T, letters), and the loss where targets are given."""

    def __init__(self, length, width=64, layers=2, heads=4, dropout=0.0):
        super().__init__()
        self.length = length
        self.wte, self.wpe = nn.Embedding(len(ALPHABET), width), nn.Embedding(length, width)
        self.drop = nn.Dropout(dropout)
        self.blocks = nn.ModuleList([Block(width, heads, dropout) for _ in range(layers)])
        self.ln_f = nn.LayerNorm(width)
        self.head = nn.Linear(width, len(ALPHABET), bias=False)
        self.wte.weight = self.head.weight
        self.apply(self.init_weights)
        for name, parameter in self.named_parameters():
            if name.endswith("c_proj.weight"):
                nn.init.normal_(parameter, mean=0.0, std=0.02 / math.sqrt(2 * layers))

    def init_weights(self, module):
        if isinstance(module, (nn.Linear, nn.Embedding)):
            nn.init.normal_(module.weight, mean=0.0, std=0.02)
        if isinstance(module, nn.Linear) and module.bias is not None:
            nn.init.zeros_(module.bias)

    def forward(self, idx, targets=None):
        x = self.drop(self.wte(idx) + self.wpe(torch.arange(idx.size(1), device=idx.device)))
        for block in self.blocks:
            x = block(x)
        logits = self.head(self.ln_f(x))
        loss = None
        if targets is not None:
            loss = F.cross_entropy(logits.view(-1, logits.size(-1)), targets.reshape(-1), ignore_index=-1)
        return logits, loss

    @torch.no_grad()
    def generate(self, idx, count):
        """The texts, each longer by count letters, the likeliest each time."""
        for _ in range(count):
            logits, _ = self(idx[:, -self.length :])
            idx = torch.cat((idx, logits[:, -1].argmax(-1, keepdim=True)), dim=1)
        return idx

    def optimizer(self, lr, weight_decay):
        """AdamW, with decay for matrices only."""
        decayed = [p for p in self.parameters() if p.dim() >= 2]
        others = [p for p in self.parameters() if p.dim() < 2]
        groups = [{"params": decayed, "weight_decay": weight_decay}, {"params": others, "weight_decay": 0.0}]
        return torch.optim.AdamW(groups, lr=lr, betas=(0.9, 0.95))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--layers", type=int, default=2)
    args = parser.parse_args()
    torch.manual_seed(1337)
    rng = random.Random(1337)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    question = 2 * DIGITS + 2
    model = GPT(question + DIGITS + 1, args.width, args.layers).to(device)
    print(f"{sum(p.numel() for p in model.parameters()):,} weights")
    optimizer = model.optimizer(lr=3e-3, weight_decay=0.1)
    warmup = max(args.steps // 20, 1)
    scheduler = torch.optim.lr_scheduler.LambdaLR(
        optimizer,
        lambda step: min((step + 1) / warmup, 0.5 * (1 + math.cos(math.pi * step / args.steps))),
    )
    for step in range(1, args.steps + 1):
        batch = problems(args.batch_size, rng).to(device)
        targets = batch[:, 1:].clone()
        targets[:, : question - 1] = -1  # only the answer counts
        _, loss = model(batch[:, :-1], targets)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        norm = nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        scheduler.step()
        if step % max(args.steps // 6, 1) == 0:
            print(f"step {step}: loss {loss.item():.4f}, gradient norm {norm.item():.3f}")

    model.eval()
    tests = problems(200, rng).to(device)
    answers = model.generate(tests[:, :question], DIGITS + 1)
    right = (answers[:, : question + DIGITS + 1] == tests[:, : question + DIGITS + 1]).all(1)
    print(f"{right.sum().item()} of {len(tests)} sums are right")
    for text in answers[:4].tolist():
        print("  ", "".join(ALPHABET[i] for i in text))


if __name__ == "__main__":
    main()

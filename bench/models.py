"""The benchmarks' models of numbers and texts, written once and given `torch` or `jtorch` as the module to run on."""

import math


def mlp(torch, shape=None):
    """784 - 512 - 512 - 10 with ReLU."""
    nn = torch.nn
    return nn.Sequential(
        nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 10)
    )  # fmt: skip


def attention(torch, shape):
    """A causal self-attention layer, (B, T, width) -> the same."""
    nn = torch.nn

    class Attention(nn.Module):
        def __init__(self):
            super().__init__()
            self.qkv = nn.Linear(shape.width, 3 * shape.width)
            self.out = nn.Linear(shape.width, shape.width)
            future = torch.ones(shape.length, shape.length).tril() == 0
            self.register_buffer("future", future, persistent=False)

        def forward(self, x):
            B, T, C = x.shape
            q, k, v = self.qkv(x).split(C, dim=2)
            q, k, v = (t.view(B, T, shape.heads, C // shape.heads).transpose(1, 2) for t in (q, k, v))  # (B, nh, T, hs)
            if shape.fused:
                mixed = nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
            else:
                scores = (q @ k.transpose(-2, -1)) * (1.0 / math.sqrt(k.size(-1)))
                scores = scores.masked_fill(self.future[:T, :T], float("-inf"))
                mixed = torch.softmax(scores, dim=-1) @ v
            return self.out(mixed.transpose(1, 2).contiguous().view(B, T, C))

    return Attention()


def block(torch, shape):
    """A pre-norm Transformer block, (B, T, width) -> the same."""
    nn = torch.nn

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.ln1 = nn.LayerNorm(shape.width)
            self.attn = attention(torch, shape)
            self.ln2 = nn.LayerNorm(shape.width)
            self.up = nn.Linear(shape.width, 4 * shape.width)
            self.act = nn.GELU()
            self.down = nn.Linear(4 * shape.width, shape.width)

        def forward(self, x):
            x = x + self.attn(self.ln1(x))
            return x + self.down(self.act(self.up(self.ln2(x))))

    return Block()


def gpt(torch, shape):
    """A decoder-only Transformer without dropout, (B, T) tokens -> (B·T, vocab) logits."""
    nn = torch.nn

    class GPT(nn.Module):
        def __init__(self):
            super().__init__()
            self.tok = nn.Embedding(shape.vocab, shape.width)
            self.pos = nn.Parameter(torch.zeros(1, shape.length, shape.width))
            self.blocks = nn.ModuleList([block(torch, shape) for _ in range(shape.layers)])
            self.ln = nn.LayerNorm(shape.width)
            self.head = nn.Linear(shape.width, shape.vocab, bias=False)

        def forward(self, tokens):
            x = self.tok(tokens) + self.pos[:, : tokens.size(1)]
            for layer in self.blocks:
                x = layer(x)
            return self.head(self.ln(x)).view(-1, shape.vocab)

    return GPT()


def lstm(torch, shape):
    """A language model of LSTM layers, (T, B) tokens -> (T·B, vocab) logits."""
    nn = torch.nn

    class LanguageModel(nn.Module):
        def __init__(self):
            super().__init__()
            self.tok = nn.Embedding(shape.vocab, shape.width)
            self.rnn = nn.LSTM(shape.width, shape.width, shape.layers)
            self.head = nn.Linear(shape.width, shape.vocab)
            nn.init.uniform_(self.tok.weight, -0.1, 0.1)

        def forward(self, tokens):
            states, _ = self.rnn(self.tok(tokens))
            return self.head(states).view(-1, shape.vocab)

    return LanguageModel()


def encoder(torch, shape):
    """A Transformer encoder that sorts texts into classes, (B, T) tokens -> (B, 10) logits."""
    nn = torch.nn

    class Encoder(nn.Module):
        def __init__(self):
            super().__init__()
            self.tok = nn.Embedding(shape.vocab, shape.width)
            self.pos = nn.Parameter(torch.zeros(1, shape.length, shape.width))
            layer = nn.TransformerEncoderLayer(shape.width, shape.heads, 4 * shape.width, dropout=0.0, batch_first=True)
            self.layers = nn.TransformerEncoder(layer, shape.layers, enable_nested_tensor=False)
            self.head = nn.Linear(shape.width, 10)

        def forward(self, tokens):
            return self.head(self.layers(self.tok(tokens) + self.pos).mean(1))

    return Encoder()

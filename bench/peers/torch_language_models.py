"""A language model in eager PyTorch, trained on given batches from given weights.

Reads FOLDER/work.json and the binary files beside it (bench/parity/language-models.ts writes them); prints one JSON line:
losses of all steps, the loss over the whole validation split, seconds of a step (median after the first 20) and parameters.
The transformer is nanoGPT's (Karpathy 2022, MIT licensed; model.py): pre-norm, GELU, learned positions, tied weights, no biases in
linear layers. `attention`: `flash` is scaled_dot_product_attention, as nanoGPT uses it; `manual` is its other branch.
"""

import json
import math
import sys
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

folder = sys.argv[1]
work = json.load(open(f"{folder}/work.json"))
torch.set_num_threads(work["threads"])
attention, length, steps = work["attention"], work["length"], work["steps"]


def tensors():
    raw = np.fromfile(f"{folder}/weights.bin", dtype=np.float32)
    at, found = 0, {}
    for name, shape in work["weights"]:
        size = int(np.prod(shape))
        found[name] = torch.from_numpy(raw[at : at + size].reshape(shape).copy())
        at += size
    return found


class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.first = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)
        self.second = nn.LayerNorm(width)
        self.wide = nn.Linear(width, 4 * width, bias=False)
        self.narrow = nn.Linear(4 * width, width, bias=False)

    def forward(self, x):
        n, t, c = x.shape
        q, k, v = (one.view(n, t, self.heads, c // self.heads).transpose(1, 2) for one in self.qkv(self.first(x)).split(c, 2))
        if attention == "flash":
            y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        else:
            scores = (q @ k.transpose(-2, -1)) * (1.0 / math.sqrt(k.size(-1)))
            mask = torch.tril(torch.ones(t, t, dtype=torch.bool))
            y = scores.masked_fill(~mask, float("-inf")).softmax(-1) @ v
        x = x + self.out(y.transpose(1, 2).contiguous().view(n, t, c))
        return x + self.narrow(F.gelu(self.wide(self.second(x))))


class Transformer(nn.Module):
    def __init__(self, vocabulary, width=128, heads=4, depth=4):
        super().__init__()
        self.tokens = nn.Embedding(vocabulary, width)
        self.positions = nn.Embedding(length, width)
        self.blocks = nn.ModuleList([Block(width, heads) for _ in range(depth)])
        self.norm = nn.LayerNorm(width)

    def forward(self, x, state):
        y = self.tokens(x) + self.positions(torch.arange(x.shape[1]))
        for block in self.blocks:
            y = block(y)
        return self.norm(y) @ self.tokens.weight.T, None


class Recurrent(nn.Module):
    def __init__(self, vocabulary, width=256, layers=2):
        super().__init__()
        self.tokens = nn.Embedding(vocabulary, width)
        self.lstm = nn.LSTM(width, width, layers, batch_first=True)
        self.bias = nn.Parameter(torch.zeros(vocabulary))

    def forward(self, x, state):
        y, state = self.lstm(self.tokens(x), state)
        return y @ self.tokens.weight.T + self.bias, tuple(one.detach() for one in state)


model = {"transformer": Transformer, "lstm": Recurrent}[work["model"]](work["vocabulary"])
with torch.no_grad():
    given = tensors()
    own = dict(model.named_parameters())
    assert set(given) == set(own), sorted(set(given) ^ set(own))
    for name, value in given.items():
        assert own[name].shape == value.shape, (name, own[name].shape, value.shape)
        own[name].copy_(value)


def batches(file, count, size):
    raw = np.fromfile(f"{folder}/{file}", dtype=np.int32).reshape(count, 2, size, length)
    return torch.from_numpy(raw.astype(np.int64))


def loss_of(pair, state, reduction="mean"):
    logits, state = model(pair[0], state)
    return F.cross_entropy(logits.reshape(-1, logits.shape[-1]), pair[1].reshape(-1), ignore_index=-1, reduction=reduction), state


optimizer = torch.optim.AdamW(model.parameters(), lr=work["learningRate"], weight_decay=work["weightDecay"])
losses, seconds, state = [], [], None
for step, pair in enumerate(batches("train.bin", steps, work["batch"])):
    if step % work["stepsPerEpoch"] == 0:
        state = None
    began = time.perf_counter()
    loss, state = loss_of(pair, state)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), work["clipNorm"])
    optimizer.step()
    losses.append(loss.item())
    seconds.append(time.perf_counter() - began)
model.eval()
with torch.no_grad():
    total, tokens, state = 0.0, 0, None
    for pair in batches("valid.bin", work["validSteps"], work["validBatch"]):
        loss, state = loss_of(pair, state, "sum")
        total, tokens = total + loss.item(), tokens + int((pair[1] >= 0).sum())
print(
    json.dumps(
        {
            "losses": losses,
            "validLoss": total / tokens,
            "stepSeconds": float(np.median(seconds[20:] or seconds)),
            "parameters": sum(one.numel() for one in model.parameters()),
            "torch": torch.__version__,
        }
    )
)

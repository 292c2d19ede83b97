"""PyTorch's side of bench/webgpu/run.mjs: the same cases under the same names, on the GPU that CUDA finds.

    python bench/webgpu/pytorch.py [FILE.json]

Products are in plain float32 (TF32 off). A time is the median of 15 repetitions, each of `inner` calls and one wait; a training step is measured as it
runs by default (eager, the fused AdamW)."""
import json
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.backends.cuda.matmul.allow_tf32 = False
torch.backends.cudnn.allow_tf32 = False
device = "cuda"
results = []
square = torch.randn(2048, 2048, device=device)


def measure(name, fn, inner, flops=0, size=0):
    def once():
        start = time.perf_counter()
        for _ in range(inner):
            fn()
        torch.cuda.synchronize()
        return time.perf_counter() - start

    begin = time.perf_counter()
    while time.perf_counter() - begin < 0.2:  # as in run.mjs
        for _ in range(10):
            square @ square
        torch.cuda.synchronize()
    for _ in range(3):
        once()
    ms = sorted(once() for _ in range(15))[7] / inner * 1e3
    results.append({"name": name, "ms": ms})
    text = f"{name:34} {ms:.3f} ms"
    if flops:
        text += f"  {flops / ms / 1e9:.2f} TFLOP/s"
    if size:
        text += f"  {size / ms / 1e6:.1f} GB/s"
    print(text, flush=True)


def randn(*shape):
    return torch.randn(*shape, device=device)


for n in [512, 1024, 2048, 4096]:
    for dtype in ["float32", "float16"]:
        a, b = randn(n, n).to(getattr(torch, dtype)), randn(n, n).to(getattr(torch, dtype))
        measure(f"matmul {n} {dtype}", lambda: a @ b, 1 if n > 2000 else 8, flops=2 * n**3)
side = 4096
x, y = randn(side, side), randn(side, side)
size = 4 * side * side
measure(f"add {side} x {side}", lambda: x + y, 8, size=3 * size)
measure(f"gelu {side} x {side}", lambda: F.gelu(x), 8, size=2 * size)
measure("chain of 6 pointwise operators", lambda: (((x * 2 + 1).sigmoid() * x) - y).relu(), 4, size=3 * size)
measure(f"layer norm {side} x {side}", lambda: F.layer_norm(x, [side]), 8, size=2 * size)
measure(f"softmax {side} x {side}", lambda: x.softmax(1), 8, size=2 * size)
measure(f"sum of all {side} x {side}", lambda: x.sum(), 8, size=size)
measure(f"sum of columns {side} x {side}", lambda: x.sum(0), 8, size=size)
measure(f"transposed copy {side} x {side}", lambda: x.t().contiguous(), 8, size=2 * size)


def trainer(model, loss):
    model.to(device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, fused=True)

    def step():
        optimizer.zero_grad()
        loss(model).backward()
        optimizer.step()

    return step


batch = 64
cx, cy = randn(batch, 1, 8, 8), torch.randint(0, 10, (batch,), device=device)
net = nn.Sequential(
    nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
    nn.Flatten(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 10))
measure(f"convnet of digits, step of {batch}", trainer(net, lambda m: F.cross_entropy(m(cx), cy)), 1)

batch, width, depth = 256, 1024, 3
mx, my = randn(batch, width), torch.randint(0, 10, (batch,), device=device)
layers = []
for _ in range(depth):
    layers += [nn.Linear(width, width), nn.LayerNorm(width), nn.GELU()]
mlp = nn.Sequential(*layers, nn.Linear(width, 10))
measure(f"MLP {depth} x {width}, step of {batch}", trainer(mlp, lambda m: F.cross_entropy(m(mx), my)), 1, flops=6 * batch * depth * width * width)

batch, steps, width, heads, vocabulary = 16, 128, 256, 8, 512


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm1, self.attend, self.project = nn.LayerNorm(width), nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.norm2, self.up, self.down = nn.LayerNorm(width), nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x):
        q, k, v = (t.view(batch, steps, heads, width // heads).transpose(1, 2) for t in self.attend(self.norm1(x)).chunk(3, -1))
        a = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.project(a.transpose(1, 2).reshape(batch, steps, width))
        return x + self.down(F.gelu(self.up(self.norm2(x))))


class Gpt(nn.Module):
    def __init__(self):
        super().__init__()
        self.tokens, self.places = nn.Embedding(vocabulary, width), nn.Embedding(steps, width)
        self.blocks = nn.ModuleList([Block(), Block()])
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, vocabulary)

    def forward(self, x, at):
        h = self.tokens(x) + self.places(at)
        for block in self.blocks:
            h = block(h)
        return self.head(self.norm(h))


gx = torch.randint(0, vocabulary, (batch, steps), device=device)
gy = torch.randint(0, vocabulary, (batch * steps,), device=device)
at = torch.arange(steps, device=device)
measure(f"GPT of 2 layers, step of {batch} x {steps}", trainer(Gpt(), lambda m: F.cross_entropy(m(gx, at).view(-1, vocabulary), gy)), 1)
print(torch.__version__, torch.cuda.get_device_name())
if len(sys.argv) > 1:
    json.dump(results, open(sys.argv[1], "w"), indent=1)

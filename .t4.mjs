import torch, { nn } from 'torch.js'
await torch.webgpu.init()
torch.manual_seed(0)
const model = new nn.Sequential(
  new nn.Conv2d(1, 16, 3, { padding: 1 }),
  new nn.ReLU(),
  new nn.MaxPool2d(2),
  new nn.Conv2d(16, 32, 3, { padding: 1 }),
  new nn.ReLU(),
  new nn.MaxPool2d(2),
  new nn.Flatten(),
  new nn.Linear(128, 64),
  new nn.ReLU(),
  new nn.Linear(64, 10),
)
model.to('webgpu')
const opt = new torch.optim.AdamW(model.parameters(), { lr: 2e-3 })
const x = torch.randn(64, 1, 8, 8).to('webgpu'),
  y = torch.randint(0, 10, [64]).to('webgpu')
let L0 = {}
for (let i = 0; i < 4; i++) {
  if (i == 3) L0 = torch.webgpu.launches()
  const s0 = torch.webgpu.stats()
  await torch.scope(async () => {
    opt.zero_grad()
    const l = nn.functional.cross_entropy(model.forward(x), y)
    l.backward()
    opt.step()
    return l.item()
  })
  const s1 = torch.webgpu.stats()
  console.log(Object.fromEntries(Object.keys(s1).map((k) => [k, s1[k] - s0[k]])))
}

const L1 = torch.webgpu.launches()
for (const k in L1) if (L1[k] - (L0[k] ?? 0)) console.log(L1[k] - (L0[k] ?? 0), k)

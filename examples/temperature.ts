// Temperature: dividing the logits before Softmax makes the distribution flatter (above 1) or sharper (below 1).
import torch, { nn } from 'torch.js'

torch.manual_seed(0)
const logits = torch.randn([10, 5])
const softmax = new nn.Softmax(-1)

for (const temperature of [0.5, 1, 2]) {
  const probabilities = softmax.forward(logits.div(temperature))
  const confidence = probabilities.max(1).values.mean().item() as number
  const entropy = probabilities.mul(probabilities.log()).sum(1).neg().mean().item() as number
  console.log(`temperature ${temperature}: mean confidence ${confidence.toFixed(3)}, mean entropy ${entropy.toFixed(3)} nats`)
}

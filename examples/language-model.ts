// The probabilities of a language model: logits [batch, sequence, vocabulary], Softmax over the vocabulary.
import torch, { nn } from 'torch.js'

const batch_size = 32
const seq_len = 128
const vocab_size = 50000

torch.manual_seed(0)
torch.scope(() => {
  const logits = torch.randn([batch_size, seq_len, vocab_size])
  const softmax = new nn.Softmax(-1)
  const probabilities = softmax.forward(logits)
  // Every position of every sequence has a distribution of its own over the vocabulary.
  const furthest = probabilities.sum(-1).sub(1).abs().max().item() as number
  console.log(`probabilities [${probabilities.shape.join(', ')}], row sums within ${furthest.toExponential(1)} of 1`)
  const next = probabilities.at(0, -1).argmax()
  console.log(`likeliest next token of the first sequence: ${next.item()}`)
})

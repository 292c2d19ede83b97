// Images to the tokens of a vision transformer, dimensions by name. Hover over any name here: its shape is known at compile time, and a pattern
// that does not fit does not compile.
import torch, { nn } from 'torch.js'

const PATCH = 16
const WIDTH = 192

torch.manual_seed(0)
const images = torch.rand(4, 3, 224, 224)

// Cut into patches: 14 by 14 of them, each a vector of its 16 x 16 x 3 numbers.
const patches = torch.rearrange(images, 'b c (h p) (w q) -> b (h w) (p q c)', { p: PATCH, q: PATCH })

// Each patch becomes a token; a class token goes in front.
const project = new nn.Linear(3 * PATCH * PATCH, WIDTH)
const tokens = project.forward(patches)
const cls = torch.zeros(1, WIDTH)
const [sequence, shapes] = torch.pack([torch.repeat(cls, '1 d -> b d', { b: 4 }), tokens], 'b * d')
const position = torch.randn(197, WIDTH).mul(0.02)
const embedded = sequence.add(position)

// Heads of attention, and their mean over the tokens.
const heads = torch.rearrange(embedded, 'b t (head d) -> b head t d', { head: 3 })
const summary = torch.reduce(heads, 'b head t d -> b head', 'mean')

// And back: the class token, the tokens as a picture of 14 by 14, and the image from its patches.
const [first, rest] = torch.unpack(embedded, shapes, 'b * d')
const grid = torch.rearrange(rest, 'b (h w) d -> b d h w', { h: 14 })
const restored = torch.rearrange(patches, 'b (h w) (p q c) -> b c (h p) (w q)', { h: 14, p: PATCH, q: PATCH })

const shown: Record<string, torch.Tensor> = { images, patches, sequence, heads, summary, first, grid, restored }
for (const [name, tensor] of Object.entries(shown)) console.log(`${name} [${tensor.shape.join(', ')}]`)
console.log(`the image comes back: ${torch.equal(images, restored)}`)

// The types say the same as the program did.
export const checked: [
  torch.Tensor<readonly [4, 196, 768]>,
  torch.Tensor<readonly [4, 197, 192]>,
  torch.Tensor<readonly [4, 192, 14, 14]>,
] = [patches, sequence, grid]

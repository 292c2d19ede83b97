// A residual network whose types are its documentation: channels and sizes of every image are known to the compiler.
//   node build/examples/resnet-block.js
import torch, { nn, type Tensor } from 'torch.js'

type Images<C extends number, H extends number> = Tensor<readonly [8, C, H, H], 'float32', 'cpu'>

class Residual extends nn.Module {
  readonly conv1 = new nn.Conv2d(16, 16, 3, { padding: 1, bias: false })
  readonly norm1 = new nn.BatchNorm2d(16)
  readonly conv2 = new nn.Conv2d(16, 16, 3, { padding: 1, bias: false })
  readonly norm2 = new nn.BatchNorm2d(16)

  override forward(x: Images<16, 32>) {
    const inner = this.norm1.forward(this.conv1.forward(x)).relu() // [8, 16, 32, 32]
    const outer = this.norm2.forward(this.conv2.forward(inner)) // [8, 16, 32, 32]
    return outer.add(x).relu()
  }
}

class Downsample extends nn.Module {
  readonly conv1 = new nn.Conv2d(16, 32, 3, { stride: 2, padding: 1, bias: false })
  readonly norm1 = new nn.BatchNorm2d(32)
  readonly conv2 = new nn.Conv2d(32, 32, 3, { padding: 1, bias: false })
  readonly norm2 = new nn.BatchNorm2d(32)
  readonly shortcut = new nn.Sequential(new nn.Conv2d(16, 32, 1, { stride: 2, bias: false }), new nn.BatchNorm2d(32))

  override forward(x: Images<16, 32>) {
    const inner = this.norm1.forward(this.conv1.forward(x)).relu() // [8, 32, 16, 16]
    const outer = this.norm2.forward(this.conv2.forward(inner)) // [8, 32, 16, 16]
    return outer.add(this.shortcut.forward(x)).relu()
  }
}

torch.manual_seed(0)
const stem = new nn.Sequential(new nn.Conv2d(3, 16, 3, { padding: 1, bias: false }), new nn.BatchNorm2d(16), new nn.ReLU())
const head = new nn.Sequential(new nn.AdaptiveAvgPool2d(1), new nn.Flatten(), new nn.Linear(32, 10))

const images = torch.randn(8, 3, 32, 32)
const features = stem.forward(images) // [8, 16, 32, 32]
const residual = new Residual().forward(features) // [8, 16, 32, 32]
const halved = new Downsample().forward(residual) // [8, 32, 16, 16]
const scores: Tensor<readonly [8, 10]> = head.forward(halved)
console.log('halved', halved.shape, 'scores', scores.shape)

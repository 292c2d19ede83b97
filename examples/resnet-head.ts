// Class probabilities from the features of an image network: a linear head, then Softmax over the classes.
import torch, { nn } from 'torch.js'

/** Any backbone that gives [batch, 2048, h, w]; here a small stand-in for pretrained weights. */
class Backbone extends nn.Module {
  stem = new nn.Conv2d(3, 32, 7, { stride: 4, padding: 3 })
  norm = new nn.BatchNorm2d(32)
  wide = new nn.Conv2d(32, 2048, 1)
  pool = new nn.AdaptiveAvgPool2d(1)

  override forward(x: torch.Tensor): torch.Tensor {
    const features = torch.relu(this.norm.forward(this.stem.forward(x)))
    return this.pool.forward(this.wide.forward(features))
  }
}

class ResNetClassifier extends nn.Module {
  fc = new nn.Linear(2048, 1000)
  softmax = new nn.Softmax(-1)

  constructor(public backbone: nn.Module) {
    super()
  }

  override forward(x: torch.Tensor): torch.Tensor {
    const features = (this.backbone.forward(x) as torch.Tensor).flatten(1)
    return this.softmax.forward(this.fc.forward(features))
  }
}

torch.manual_seed(0)
const model = new ResNetClassifier(new Backbone()).eval()
const images = torch.rand(4, 3, 64, 64)
const probabilities = torch.no_grad(() => model.forward(images))
const { values, indices } = probabilities.topk(3, { dim: 1 })
console.log(`probabilities [${probabilities.shape.join(', ')}], row sums ${String(probabilities.sum(1))}`)
console.log(`three likeliest classes of each image ${String(indices)} with ${String(values)}`)

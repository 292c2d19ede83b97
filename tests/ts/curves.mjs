// Programs of the training curves recorded from PyTorch.
import torch, { nn } from 'torch.js'
import { convnet } from '../../build/examples/digits/classifier.js'

// What each curve trains, as its record describes it.
export const RUNS = {
  convnet_adamw: {
    model: () => convnet(torch),
    optimizer: (p) => new torch.optim.AdamW(p, { lr: 2e-3 }),
    input: (x) => x,
  },
  mlp_sgd_momentum: {
    model: () => new nn.Sequential(new nn.Linear(64, 128), new nn.Tanh(), new nn.Linear(128, 10)),
    optimizer: (p) => new torch.optim.SGD(p, { lr: 0.1, momentum: 0.9 }),
    input: (x) => x.flatten(1),
  },
  mlp_batchnorm_dropout_adam: {
    model: () =>
      new nn.Sequential(new nn.Linear(64, 128), new nn.BatchNorm1d(128), new nn.GELU(), new nn.Dropout(0.2), new nn.Linear(128, 10)),
    optimizer: (p) => new torch.optim.Adam(p, { lr: 1e-3, weight_decay: 1e-4 }),
    // A bias before batch norm has no gradient but rounding noise, whose sign Adam turns into whole steps.
    noise: ['0.bias', '1.running_mean'],
    input: (x) => x.flatten(1),
  },
}

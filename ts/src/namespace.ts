// The namespace `torch`: what `import torch from 'torch.js'` and `import * as torch from 'torch.js'` both give.
export * from './torch.js'
export * as nn from './nn/index.js'
export * as optim from './optim/index.js'
export * as utils from './utils.js'

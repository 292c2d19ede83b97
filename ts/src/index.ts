// torch.js: PyTorch for JavaScript and TypeScript.
//
//     import torch from 'torch.js'
//     const x = torch.randn(2, 3, { requires_grad: true })
//     x.pow(2).sum().backward()
//     console.log(x.grad)
export * from './namespace.js'
// As a namespace, so that types hang off it as well: `torch.Tensor`.
export * as default from './namespace.js'

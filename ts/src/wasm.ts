// torch.js on WebAssembly, whatever else there is: `import torch from 'torch.js/wasm'`, or the import condition "wasm".
import './runtime/prefer_wasm.js'

export * from './index.js'
export { default } from './index.js'

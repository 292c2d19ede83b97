import torch from 'torch.js'
await torch.webgpu.init()
const x = torch.randn(5,5).to('webgpu')
console.log(await x.at(torch.tensor([1,2],{dtype:'int64'}).to('webgpu')).toArray(), (await x.cpu()).at(1).toArray())
const s = torch.tensor([1,3,5,7]).to('webgpu'), v = torch.tensor([0,4,9]).to('webgpu')
console.log(await torch.searchsorted(s, v).toArray(), await torch.searchsorted(s, v, {right:true, out_int32: true}).toArray())
const s2 = s.unsqueeze(0), v2 = torch.tensor([0,4,9]).to('webgpu')
const d = torch.webgpu.stats().dispatches
console.log(await torch.searchsorted(s, 4).toArray(), torch.webgpu.stats().dispatches-d)
console.log(await x.at([0,3], 2).toArray())

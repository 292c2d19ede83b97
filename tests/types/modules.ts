// Shapes of recurrent networks, losses and transposes. Checked by `tsc -p tests/types`; never run.
import torch, { nn, type Tensor } from 'torch.js'

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
declare function is<T extends true>(): T

// Transposes.
const x = torch.zeros(2, 3, 4)
is<Equal<typeof x.T, Tensor<readonly [4, 3, 2], 'float32', 'cpu'>>>()
is<Equal<typeof x.mT, Tensor<readonly [2, 4, 3], 'float32', 'cpu'>>>()
is<Equal<typeof x.mH, Tensor<readonly [2, 4, 3], 'float32', 'cpu'>>>()
const matrix = torch.zeros(2, 3)
is<Equal<typeof matrix.H, Tensor<readonly [3, 2], 'float32', 'cpu'>>>()
const row = torch.zeros(3)
is<Equal<typeof row.mT, torch.matrix_transpose_error_rank<'mT', 1>>>()
// @ts-expect-error a vector has no matrices
row.mT.sum()
// @ts-expect-error H is for matrices
x.H.sum()
// @ts-expect-error 3 and 2 are not 3 and 3
matrix.T.matmul(matrix.T).sum()
export const still: Tensor = x
function gram<N extends number>(m: Tensor<readonly [N, 784], 'float32', 'cpu'>) {
  return m.matmul(m.T)
}
const squares = gram(torch.zeros(5, 784))
is<Equal<typeof squares.shape, readonly [5, 5]>>()
export const anyT = <T extends Tensor>(t: T): Tensor => t.T

// Recurrent networks.
const lstm = new nn.LSTM(8, 16, 2, { bidirectional: true, batch_first: true })
const [output, [h, c]] = lstm.forward(torch.zeros(5, 7, 8))
is<Equal<typeof output, Tensor<readonly [5, 7, 32], 'float32', 'cpu'>>>()
is<Equal<typeof h.shape, readonly [4, 5, 16]>>()
is<Equal<typeof c.shape, readonly [4, 5, 16]>>()
const [projected] = new nn.LSTM({ input_size: 8, hidden_size: 16, proj_size: 4 }).forward(torch.zeros(7, 8))
is<Equal<typeof projected.shape, readonly [7, 4]>>()
const [gru, last] = new nn.GRU(8, 16).forward(torch.zeros(7, 5, 8))
is<Equal<typeof gru.shape, readonly [7, 5, 16]>>()
is<Equal<typeof last.shape, readonly [1, 5, 16]>>()
const [rnn] = new nn.RNN(8, 16, { num_layers: 3 }).forward(torch.zeros(7, 5, 8))
is<Equal<typeof rnn.shape, readonly [7, 5, 16]>>()
const narrow = new nn.RNN(8, 16).forward(torch.zeros(7, 5, 9))
is<Equal<typeof narrow, torch.recurrent_error_features_do_not_match<9, 8>>>()
// @ts-expect-error nine features are not eight
new nn.LSTM(8, 16).forward(torch.zeros(7, 5, 9))[0].sum()
// @ts-expect-error nine features are not eight
new nn.GRU(8, 16).forward(torch.zeros(7, 5, 9))[0].sum()
const step = new nn.GRUCell(8, 16).forward(torch.zeros(5, 8))
is<Equal<typeof step.shape, readonly [5, 16]>>()
const [hidden, cell] = new nn.LSTMCell(8, 16).forward(torch.zeros(5, 8))
is<Equal<typeof hidden.shape, readonly [5, 16]>>()
is<Equal<typeof cell.shape, readonly [5, 16]>>()
// @ts-expect-error nine features are not eight
new nn.RNNCell(8, 16).forward(torch.zeros(5, 9)).sum()
export const anyModule: nn.Module = lstm

// Losses.
const scores = torch.zeros(32, 10)
const classes = torch.zeros(32, { dtype: 'int64' })
const mean = new nn.CrossEntropyLoss().forward(scores, classes)
is<Equal<typeof mean, Tensor<readonly [], 'float32', 'cpu'>>>()
const each = new nn.CrossEntropyLoss({ reduction: 'none' }).forward(scores, classes)
is<Equal<typeof each.shape, readonly [32]>>()
const unlike = new nn.CrossEntropyLoss().forward(scores, torch.zeros(31, { dtype: 'int64' }))
is<Equal<typeof unlike, torch.loss_error_batch_does_not_match<32, 31>>>()
const squared = new nn.MSELoss({ reduction: 'none' }).forward(scores, torch.zeros(10))
is<Equal<typeof squared.shape, readonly [32, 10]>>()
// @ts-expect-error 10 and 9 do not broadcast
new nn.L1Loss().forward(scores, torch.zeros(9)).item()
const older = new nn.MSELoss({ reduce: false }).forward(scores, scores)
is<Equal<typeof older.shape, torch.DynamicShape>>()
const triplet = new nn.TripletMarginLoss({ reduction: 'none' }).forward(scores, scores, scores)
is<Equal<typeof triplet.shape, readonly [32]>>()

// Resampling.
const larger = new nn.Upsample({ scale_factor: 2 }).forward(torch.zeros(1, 3, 5, 9))
is<Equal<typeof larger.shape, readonly [1, 3, 10, 18]>>()
const sized = new nn.UpsamplingBilinear2d([7, 8]).forward(torch.zeros(1, 3, 5, 9))
is<Equal<typeof sized.shape, readonly [1, 3, 7, 8]>>()

// Functions of several tensors.
const grids = torch.meshgrid(torch.zeros(2), torch.zeros(3), { indexing: 'xy' })
is<Equal<(typeof grids)[0]['shape'], readonly [3, 2]>>()
const diagonal = torch.block_diag(torch.zeros(2, 3), torch.zeros(4))
is<Equal<typeof diagonal.shape, readonly [3, 7]>>()
const contracted = torch.tensordot(torch.zeros(2, 3, 4), torch.zeros(4, 3, 5), [
  [1, 2],
  [1, 0],
])
is<Equal<typeof contracted.shape, readonly [2, 5]>>()
// @ts-expect-error 4 and 3 are not equal
torch.tensordot(torch.zeros(2, 4), torch.zeros(3, 2), 1).sum()
const distances = torch.cdist(torch.zeros(7, 2, 3), torch.zeros(5, 3))
is<Equal<typeof distances.shape, readonly [7, 2, 5]>>()

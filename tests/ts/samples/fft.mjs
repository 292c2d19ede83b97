// Fourier transforms, of real numbers and of complex ones made of two real tensors.
import { R } from './specs.mjs'

const both = (f, ...shape) => [
  { run: (t, x) => f(t.fft, x), inputs: [R(...shape)] },
  { run: (t, x, y) => f(t.fft, t.complex(x, y)), inputs: [R(...shape), R(...shape)] },
]
const real = (f, ...shape) => [{ run: (t, x) => f(t.fft, x), inputs: [R(...shape)] }]
const rows = {}
for (const n of ['fft', 'ifft', 'hfft', 'irfft'])
  rows[`fft_${n}`] = [...both((f, x) => f[n](x), 3), ...both((f, x) => f[n](x, 4, 0, 'ortho'), 3, 2)]
for (const n of ['rfft', 'ihfft']) rows[`fft_${n}`] = [...real((f, x) => f[n](x), 3), ...real((f, x) => f[n](x, 4, 0, 'forward'), 3, 2)]
for (const n of ['fft2', 'ifft2', 'hfft2', 'irfft2', 'fftn', 'ifftn', 'hfftn', 'irfftn'])
  rows[`fft_${n}`] = [...both((f, x) => f[n](x), 2, 3), ...both((f, x) => f[n](x, { s: [2, 2], dim: [0, 1] }), 2, 3)]
for (const n of ['rfft2', 'ihfft2', 'rfftn', 'ihfftn'])
  rows[`fft_${n}`] = [...real((f, x) => f[n](x), 2, 3), ...real((f, x) => f[n](x, { s: [2, 2], dim: [0, 1] }), 2, 3)]
for (const n of ['fftshift', 'ifftshift']) rows[`fft_${n}`] = [...both((f, x) => f[n](x), 3), ...both((f, x) => f[n](x, [1]), 2, 3)]
rows.stft = [
  { run: (t, x, w) => t.stft(x, { n_fft: 4, hop_length: 2, window: w, return_complex: true }), inputs: [R(8), R(4)] },
  { run: (t, x, y) => t.stft(t.complex(x, y), { n_fft: 3, hop_length: 2, center: false }), inputs: [R(2, 6), R(2, 6)] },
]
rows.istft = [
  { run: (t, x, y, w) => t.istft(t.complex(x, y), { n_fft: 4, hop_length: 1, window: w.add(3) }), inputs: [R(3, 5), R(3, 5), R(4)] },
  { run: (t, x, y) => t.istft(t.complex(x, y), { n_fft: 3, hop_length: 1, return_complex: true }), inputs: [R(2, 3, 4), R(2, 3, 4)] },
]
// Of numbers alone.
for (const n of ['fftfreq', 'rfftfreq']) rows[`fft_${n}`] = []
export default rows

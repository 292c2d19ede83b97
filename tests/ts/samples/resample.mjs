// Padding and interpolation.
import { R } from './specs.mjs'

const at = (d, n = 3) => R(1, 1, ...Array(d).fill(n))
const N = (f) => (t, x) => f(t.nn.functional, x)
const sized = (mode, d, align) => [
  {
    run: N((f, x) => f.interpolate(x, { size: Array(d).fill(4), mode, ...(align === undefined ? {} : { align_corners: align }) })),
    inputs: [at(d, d === 3 ? 2 : 3)],
  },
  {
    run: N((f, x) => f.interpolate(x, { scale_factor: 1.5, mode, ...(align === undefined ? {} : { align_corners: align }) })),
    inputs: [at(d, 2)],
  },
]
const antialiased = (mode) => [{ run: N((f, x) => f.interpolate(x, { size: [2, 5], mode, antialias: true })), inputs: [at(2)] }]

export default {
  constant_pad_nd: [
    [R(2, 3), [1, 2], 0.5],
    [R(2, 3), [-1, 0, 1, 1]],
    [R(0, 2), [1, 1, 1, 1]],
  ],
  pad: [
    { run: N((f, x) => f.pad(x, [1, 2])), inputs: [R(2, 3)] },
    ...['reflect', 'replicate', 'circular'].flatMap((mode) => [
      { run: N((f, x) => f.pad(x, [1, 2], { mode })), inputs: [R(1, 1, 3)] },
      { run: N((f, x) => f.pad(x, [1, 0, 2, 1], { mode })), inputs: [R(1, 1, 3, 2)] },
      { run: N((f, x) => f.pad(x, [1, 0, 0, 1, 1, 1], { mode })), inputs: [R(1, 1, 2, 2, 2)] },
    ]),
  ],
  interpolate: [
    ...[1, 2, 3].flatMap((d) => [...sized('nearest', d), ...sized('nearest-exact', d), ...sized('area', d)]),
    ...[
      ['linear', 1],
      ['bilinear', 2],
      ['trilinear', 3],
      ['bicubic', 2],
    ].flatMap(([mode, d]) => [...sized(mode, d, false), ...sized(mode, d, true)]),
    ...antialiased('bilinear'),
    ...antialiased('bicubic'),
  ],
  upsample: [{ run: N((f, x) => f.upsample(x, { scale_factor: 2 })), inputs: [at(2, 2)] }],
  upsample_nearest: [{ run: N((f, x) => f.upsample_nearest(x, { scale_factor: 2 })), inputs: [at(2, 2)] }],
  upsample_bilinear: [{ run: N((f, x) => f.upsample_bilinear(x, { scale_factor: 2 })), inputs: [at(2, 2)] }],
  upsample_bilinear2d_aa: [
    [at(2), [2, 4], false],
    [at(2), [2, 4], true],
  ],
  upsample_bilinear2d_aa_vec: [{ run: (t, x) => t._upsample_bilinear2d_aa(x, null, false, [0.7, 1.5]), inputs: [at(2)] }],
  upsample_bicubic2d_aa: [[at(2), [2, 4], false]],
  upsample_bicubic2d_aa_vec: [{ run: (t, x) => t._upsample_bicubic2d_aa(x, null, false, [0.7, 1.5]), inputs: [at(2)] }],
}

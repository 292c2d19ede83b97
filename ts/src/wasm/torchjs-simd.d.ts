/** The module torchjs-simd.wasm, compressed by gzip, in base64: for bundlers that do not copy files. `make wasm` writes it. */
declare const text: string
export default text

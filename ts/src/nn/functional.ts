// nn.functional: the operators that networks are made of. Some of them are in `torch` as well, and only there in the schema.

export * from '../generated/functional.js'
export { celu, celu_, hardshrink, prelu, relu, relu_, selu, selu_, sigmoid, tanh } from '../generated/functions.js'

// nn.functional: the operators that networks are made of.

export * from '../generated/functional.js'

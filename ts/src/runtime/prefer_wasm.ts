// Loaded before the engine.
;(globalThis as { TORCHJS_BACKEND?: unknown }).TORCHJS_BACKEND ??= 'wasm'

export {}

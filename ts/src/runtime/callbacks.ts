// JavaScript functions that the engine calls while it runs: gradient hooks and the backward of custom functions. The engine knows them by
// number. An exception that one throws ends the call that the engine is in, which then throws it again.
import { host } from './host.js'

/** Gets handles, returns handles. 0 stands for none. */
export type Callback = (handles: readonly number[]) => readonly number[]

const callbacks = new Map<number, Callback>()
let next = 1
let connected = false

const HOOK = 0
const DROP = 2
const WEBGPU = 3

let gpuCallback: ((full: boolean, bytes: number) => void) | null = null

// The host throws an exception that escapes from here again in the call that led to it.
function dispatch(kind: number, id: number, count: number): number {
  if (kind === DROP) {
    callbacks.delete(id)
    return 0
  }
  if (kind === WEBGPU) {
    gpuCallback?.(id !== 0, count)
    return 0
  }
  const callback = callbacks.get(id)
  if (!callback) return -1
  const handles = callback(Array.from(host.f64.subarray(0, count)))
  if (kind === HOOK) return handles[0] ?? 0
  if (handles.length > host.f64.length) host.grow(handles.length)
  handles.forEach((handle, i) => {
    host.f64[i] = handle
  })
  return handles.length
}

function connect(): void {
  if (connected) return
  host.setCallback(dispatch)
  connected = true
}

/** What runs when commands for the webgpu device wait. It has to leave the argument buffer alone. */
export function setGpuCallback(callback: (full: boolean, bytes: number) => void): void {
  connect()
  gpuCallback = callback
}

/** Registers a callback; the engine drops it when what holds it goes. */
export function addCallback(callback: Callback): number {
  connect()
  callbacks.set(next, callback)
  return next++
}

/** For calls that failed before the engine took the callback. */
export function dropCallback(id: number): void {
  callbacks.delete(id)
}

/** How many callbacks the engine holds, for leak tests. */
export const callbackCount = (): number => callbacks.size

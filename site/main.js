// The page: controls, plots, the drawing. The network is in worker.js.
/* global uPlot */
import { inWorker } from './torch.js/worker.js'

const $ = (id) => document.getElementById(id)

// ---- controls --------------------------------------------------------------------------------------------------------

const ENGINES = {
  wasm: 'the best there is',
  'wasm-simd': 'SIMD',
  'wasm-relaxed': 'relaxed SIMD',
  'wasm-simd-threads': 'SIMD, threads',
  'wasm-relaxed-threads': 'relaxed SIMD, threads',
}
for (const [value, text] of Object.entries(ENGINES)) {
  if (value.endsWith('threads') && !crossOriginIsolated) continue
  $('backend').append(new Option(text, value))
}
const most = navigator.hardwareConcurrency || 1
for (let n = 1; n <= most; n++) $('threads').append(new Option(n, n, n === most, n === most))

// ---- devices ---------------------------------------------------------------------------------------------------------

/** Why there is no WebGPU here; '' where there is. */
async function noWebGPU() {
  if (!isSecureContext) return 'WebGPU is there for pages of https and localhost only.'
  if (!navigator.gpu) return 'This browser has no WebGPU.'
  try {
    return (await navigator.gpu.requestAdapter()) ? '' : 'This browser has WebGPU, but no adapter for it.'
  } catch (e) {
    return `This browser has WebGPU, but no adapter for it: ${e.message}`
  }
}
void noWebGPU().then((why) => {
  $('device').querySelector('[value=webgpu]').disabled = why !== ''
  $('device-note').textContent = why && `${why} The network trains on the cpu.`
})
$('device').onchange = () => {
  // The engine then gives work to the GPU from one thread.
  $('threads').disabled = $('device').value === 'webgpu'
}

// ---- plots -----------------------------------------------------------------------------------------------------------

function plot(element, label, stroke, format) {
  const size = () => ({ width: Math.max(280, element.clientWidth), height: 240 })
  const axis = { stroke: () => getComputedStyle(document.body).color, grid: { stroke: 'rgba(128,128,128,.2)' } }
  const chart = new uPlot(
    {
      ...size(),
      scales: { x: { time: false } },
      axes: [axis, { ...axis, size: 56 }],
      series: [{ label: 'step' }, { label, stroke, width: 1.5, value: (_, v) => (v == null ? '–' : format(v)) }],
      legend: { live: true },
    },
    [[], []],
    element,
  )
  addEventListener('resize', () => chart.setSize(size()))
  const data = [[], []]
  return {
    add(x, y) {
      data[0].push(x)
      data[1].push(y)
    },
    draw: () => chart.setData(data),
    clear() {
      data[0].length = data[1].length = 0
      chart.setData(data)
    },
    get length() {
      return data[0].length
    },
  }
}
const lossPlot = plot($('loss-plot'), 'loss', '#d9480f', (v) => v.toFixed(4))
const accuracyPlot = plot($('accuracy-plot'), 'accuracy', '#1c7ed6', (v) => `${(100 * v).toFixed(1)} %`)

// ---- training --------------------------------------------------------------------------------------------------------

let worker = null // the last one
let run = null // what it does
let trained = 0

function running(is) {
  $('train').disabled = is
  $('stop').disabled = !is
}

// Steps come faster than frames.
let due = false
function drawSoon(plot) {
  if (due) return
  due = true
  requestAnimationFrame(() => {
    due = false
    plot.draw()
  })
}

const handlers = {
  ready({ backend, threads, version, adapter }) {
    $('runs-on').textContent = adapter === null ? `${backend}, ${threads} thread${threads === 1 ? '' : 's'}` : `webgpu: ${adapter}`
    $('status').textContent = `training (torch.js ${version})`
  },
  step({ step, loss, stepsPerSecond }) {
    lossPlot.add(step, loss)
    drawSoon(lossPlot)
    trained = step
    $('step').textContent = step
    $('loss').textContent = loss.toFixed(4)
    $('speed').textContent = Math.round(stepsPerSecond)
  },
  epoch({ accuracy }) {
    accuracyPlot.add(trained, accuracy)
    accuracyPlot.draw()
    $('accuracy').textContent = `${(100 * accuracy).toFixed(1)} %`
    classify()
  },
  classes({ classes }) {
    const best = classes.indexOf(Math.max(...classes))
    $('answer').textContent = best
    classes.forEach((p, i) => {
      $('classes').children[i].firstElementChild.value = p
      $('classes').children[i].title = `${(100 * p).toFixed(1)} %`
    })
  },
  trained({ stopped }) {
    running(false)
    $('status').textContent = stopped ? 'stopped' : 'trained'
    classify()
  },
}

$('controls').onsubmit = async (event) => {
  event.preventDefault()
  worker?.terminate()
  lossPlot.clear()
  accuracyPlot.clear()
  running(true)
  $('status').textContent = 'loading the engine'
  const mine = (worker = new Worker(new URL('worker.js', import.meta.url), { type: 'module' }))
  run = inWorker(mine, {
    device: $('device').value,
    backend: $('backend').value,
    threads: Number($('threads').value),
    epochs: Number($('epochs').value),
  })
  try {
    for await (const value of run) if (mine === worker) handlers[value.kind](value)
  } catch (e) {
    if (mine !== worker) return
    running(false)
    $('status').textContent = e.message
  }
}
$('stop').onclick = () => run?.send({ kind: 'stop' })

// ---- drawing ---------------------------------------------------------------------------------------------------------

const canvas = $('canvas'),
  pen = canvas.getContext('2d', { willReadFrequently: true })
pen.lineWidth = 26
pen.lineCap = pen.lineJoin = 'round'
const seen = $('seen').getContext('2d')

function clear() {
  pen.clearRect(0, 0, canvas.width, canvas.height)
  seen.clearRect(0, 0, 8, 8)
  $('answer').textContent = '–'
  for (const item of $('classes').children) item.firstElementChild.value = 0
}
for (let i = 0; i < 10; i++) {
  const item = document.createElement('li')
  item.append(Object.assign(document.createElement('meter'), { min: 0, max: 1, value: 0 }))
  $('classes').append(item)
}

/** The drawing as the digits of the data are: cut out, as high as the square, in 8 by 8 pixels of how much of each is ink. Null: nothing is drawn. */
function pixels() {
  const { width, height } = canvas
  const ink = pen.getImageData(0, 0, width, height).data
  let left = width,
    right = -1,
    top = height,
    bottom = -1
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      if (ink[4 * (y * width + x) + 3] > 127) {
        left = Math.min(left, x)
        right = Math.max(right, x)
        top = Math.min(top, y)
        bottom = Math.max(bottom, y)
      }
  if (right < 0) return null
  const side = Math.max(right - left, bottom - top) + 1
  const x0 = (left + right + 1 - side) / 2,
    y0 = (top + bottom + 1 - side) / 2
  const out = new Array(64).fill(0)
  const FINE = 4 // of the data: 4 by 4 points a pixel
  for (let r = 0; r < 8 * FINE; r++)
    for (let c = 0; c < 8 * FINE; c++) {
      const x = Math.floor(x0 + ((c + 0.5) * side) / (8 * FINE)),
        y = Math.floor(y0 + ((r + 0.5) * side) / (8 * FINE))
      if (x >= 0 && x < width && y >= 0 && y < height && ink[4 * (y * width + x) + 3] > 127)
        out[Math.floor(r / FINE) * 8 + Math.floor(c / FINE)] += 1 / FINE ** 2
    }
  return out
}

function classify() {
  const image = pixels()
  if (!image) return
  const picture = seen.createImageData(8, 8)
  image.forEach((v, i) => picture.data.set([0, 0, 0, Math.round(255 * v)], 4 * i))
  seen.putImageData(picture, 0, 0)
  run?.send({ kind: 'classify', pixels: image })
}

let last = null
const at = (e) => [(e.offsetX * canvas.width) / canvas.clientWidth, (e.offsetY * canvas.height) / canvas.clientHeight]
canvas.onpointerdown = (e) => {
  canvas.setPointerCapture(e.pointerId)
  last = at(e)
}
canvas.onpointermove = (e) => {
  if (!last) return
  const now = at(e)
  pen.beginPath()
  pen.moveTo(...last)
  pen.lineTo(...now)
  pen.stroke()
  last = now
  classify()
}
canvas.onpointerup = canvas.onpointercancel = () => (last = null)
$('clear').onclick = clear
clear()

$('status').textContent = crossOriginIsolated ? 'ready' : 'ready; one thread, because the page is not cross-origin isolated'

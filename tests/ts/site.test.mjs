// The page of site/ in Chromium, as somebody uses it: chooses a device, trains, stops, draws, reloads. Pictures of it are in out/.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { browse, serve } from '../browser/server.mjs'

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '../..')

describe('the page', () => {
  let server, browser, page
  const printed = []
  before(async () => {
    execFileSync('make', ['--no-print-directory', '-s', 'site-files'], { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] })
    server = await serve({ '/': join(ROOT, 'out/site') })
    browser = await browse({ log: (text) => /No available adapters/.test(text) || printed.push(text) })
    page = await browser.page()
    mkdirSync(join(ROOT, 'out'), { recursive: true })
  })
  after(async () => {
    await browser?.close()
    server?.close()
  })

  const text = (id) => page.locator(`#${id}`).textContent()
  const status = (wanted) =>
    page
      .waitForFunction((w) => document.getElementById('status').textContent.startsWith(w), wanted, { timeout: 120_000 })
      .catch(async (e) => {
        throw new Error(`${e.message}: the status is '${await text('status')}'\n${printed.join('\n')}`)
      })
  /** Points of a plot that have its line's colour. */
  const drawn = (id, [r, g, b]) =>
    page.evaluate(
      ([selector, r, g, b]) => {
        const canvas = document.querySelector(selector)
        const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
        let n = 0
        for (let i = 0; i < data.length; i += 4)
          if (Math.abs(data[i] - r) + Math.abs(data[i + 1] - g) + Math.abs(data[i + 2] - b) < 60 && data[i + 3] > 100) n++
        return n
      },
      [`#${id} canvas`, r, g, b],
    )
  const RED = [217, 72, 15],
    BLUE = [28, 126, 214]
  async function draw(points) {
    await page.locator('#clear').click()
    const box = await page.locator('#canvas').boundingBox()
    const at = ([x, y]) => [box.x + x * box.width, box.y + y * box.height]
    await page.mouse.move(...at(points[0]))
    await page.mouse.down()
    for (const p of points.slice(1)) await page.mouse.move(...at(p), { steps: 3 })
    await page.mouse.up()
  }
  const circle = Array.from({ length: 25 }, (_, i) => [
    0.5 + 0.22 * Math.sin((i * Math.PI) / 12),
    0.5 - 0.36 * Math.cos((i * Math.PI) / 12),
  ])

  it('loads, isolated and without complaints', async () => {
    await page.goto(server.origin)
    await status('ready')
    assert.equal(await text('status'), 'ready')
    assert.deepEqual(printed, [])
  })
  it('has no WebGPU without an adapter, and says so', async () => {
    await page.waitForFunction(() => document.getElementById('device-note').textContent !== '')
    assert.match(await text('device-note'), /WebGPU[^]*The network trains on the cpu\./)
    assert.equal(await page.locator('#device option[value=webgpu]').isDisabled(), true)
    assert.equal(await page.locator('#device').inputValue(), 'cpu')
  })
  it('trains: loss falls, accuracy is what the example reaches, both are plotted', async () => {
    await page.locator('#epochs').fill('8')
    await page.locator('#train').click()
    await status('trained')
    assert.match(await text('runs-on'), /^wasm-relaxed-threads, \d+ threads?$/)
    assert.equal(Number(await text('step')), 8 * 45)
    assert.ok(Number(await text('loss')) < 0.5, await text('loss'))
    assert.ok(parseFloat(await text('accuracy')) > 93, await text('accuracy'))
    assert.ok(Number(await text('speed')) > 1)
    assert.ok((await drawn('loss-plot', RED)) > 300)
    assert.ok((await drawn('accuracy-plot', BLUE)) > 100)
  })
  it('classifies what is drawn', async () => {
    await draw(circle)
    await page.waitForFunction(() => document.getElementById('answer').textContent === '0', null, { timeout: 20_000 })
    await page.screenshot({ path: join(ROOT, 'out/site.png'), fullPage: true })
    await page.locator('#clear').click()
    assert.equal(await text('answer'), '–')
  })
  it('stops in the middle, and trains again on another engine', async () => {
    await page.locator('#epochs').fill('200')
    await page.locator('#train').click()
    await page.waitForFunction(() => Number(document.getElementById('step').textContent) > 20, null, { timeout: 60_000 })
    await page.locator('#stop').click()
    await status('stopped')
    assert.ok(Number(await text('step')) < 200 * 45)
    await page.locator('#backend').selectOption('wasm-simd')
    await page.locator('#epochs').fill('1')
    await page.locator('#train').click()
    await status('trained')
    assert.equal(await text('runs-on'), 'wasm-simd, 1 thread')
  })
  it('keeps up while it trains: no frame takes long', async () => {
    await page.locator('#backend').selectOption('wasm')
    await page.locator('#epochs').fill('200')
    await page.locator('#train').click()
    await status('training')
    // The page's own thread answers although the engine never rests.
    const times = await page.evaluate(async () => {
      const times = []
      for (let i = 0; i < 30; i++) {
        const before = performance.now()
        await new Promise((resolve) => setTimeout(resolve, 0))
        times.push(performance.now() - before)
      }
      return times.sort((a, b) => a - b)
    })
    assert.ok(times[15] < 50, `${times[15]} ms, the median`)
  })
  it('starts anew when it is loaded again in the middle of a step', async () => {
    await page.reload()
    await status('ready')
    assert.equal(await text('step'), '0')
    await page.locator('#epochs').fill('1')
    await page.locator('#train').click()
    await status('trained')
    assert.deepEqual(printed, [])
  })
})

describe('the page where there is WebGPU', () => {
  let server, browser, page
  const printed = []
  before(async () => {
    server = await serve({ '/': join(ROOT, 'out/site') })
    browser = await browse({ log: (text) => printed.push(text), webgpu: true })
    page = await browser.page()
    // What the Worker tells the page.
    await page.addInitScript(() => {
      globalThis.losses = []
      globalThis.Worker = class extends Worker {
        constructor(...args) {
          super(...args)
          globalThis.losses = []
          this.addEventListener('message', ({ data }) => {
            for (const value of data.torchjs?.values ?? []) if (value.kind === 'step') globalThis.losses.push(value.loss)
          })
        }
      }
    })
    await page.goto(server.origin)
  })
  after(async () => {
    await browser?.close()
    server?.close()
  })

  it('trains on webgpu, in a Worker: the losses are those of the cpu', async () => {
    await page.waitForFunction(() => !document.querySelector('#device option[value=webgpu]').disabled, null, { timeout: 20_000 })
    assert.equal(await page.locator('#device-note').textContent(), '')
    await page.locator('#epochs').fill('1')
    const losses = {}
    for (const device of ['cpu', 'webgpu']) {
      await page.locator('#device').selectOption(device)
      await page.locator('#train').click()
      await page
        .waitForFunction(() => document.getElementById('status').textContent === 'trained', null, { timeout: 240_000 })
        .catch(async (e) => {
          throw new Error(`${e.message}: the status is '${await page.locator('#status').textContent()}'\n${printed.join('\n')}`)
        })
      losses[device] = await page.evaluate(() => globalThis.losses)
      await page.screenshot({ path: join(ROOT, `out/site-${device}.png`), fullPage: true })
    }
    assert.match(await page.locator('#runs-on').textContent(), /^webgpu: \S/)
    const { cpu, webgpu } = losses
    assert.equal(webgpu.length, 45)
    for (let i = 0; i < 20; i++)
      assert.ok(Math.abs(webgpu[i] - cpu[i]) <= 1e-4 * cpu[i], `step ${i + 1}: ${webgpu[i]} on webgpu, ${cpu[i]} on the cpu`)
    const mean = (list) => list.reduce((a, b) => a + b) / list.length
    assert.ok(mean(webgpu.slice(-5)) < 0.8 * mean(webgpu.slice(0, 5)), String(webgpu))
    assert.deepEqual(printed, [])
  })
})

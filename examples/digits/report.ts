// The report of a training run: one HTML file with drawings in it, which needs neither a network nor a script.
import * as vega from 'vega'
import * as vegaLite from 'vega-lite'

export interface Run {
  /** Training loss at each step. */
  losses: number[]
  /** Test accuracy after each epoch. */
  accuracies: number[]
  /** Steps an epoch. */
  batches: number
  /** True and predicted class of each test image. */
  truth: number[]
  predicted: number[]
  /** The test images, 64 pixels from 0 to 1 each. */
  images: number[][]
  seconds: number
  version: string
}

const draw = async (spec: vegaLite.TopLevelSpec): Promise<string> => {
  const view = new vega.View(
    vega.parse(
      vegaLite.compile({ config: { font: 'system-ui, sans-serif', view: { stroke: null } }, ...spec } as vegaLite.TopLevelSpec).spec,
    ),
    { renderer: 'none' },
  )
  return view.toSVG()
}

const curve = (values: object[], x: string, y: string, scale?: object): vegaLite.TopLevelSpec =>
  ({
    width: 420,
    height: 240,
    data: { values },
    mark: { type: 'line', interpolate: 'monotone', strokeWidth: 1.5 },
    encoding: { x: { field: x, type: 'quantitative', title: x }, y: { field: y, type: 'quantitative', title: y, ...(scale && { scale }) } },
  }) as vegaLite.TopLevelSpec

export async function report(run: Run): Promise<string> {
  const losses = await draw(
    curve(
      run.losses.map((loss, step) => ({ step: step + 1, loss })),
      'step',
      'loss',
      { type: 'log' },
    ),
  )
  const accuracies = await draw({
    ...curve(
      run.accuracies.map((accuracy, i) => ({ epoch: i + 1, accuracy })),
      'epoch',
      'accuracy',
      { zero: false },
    ),
    mark: { type: 'line', point: true },
  } as vegaLite.TopLevelSpec)

  const confusion: { truth: number; predicted: number; count: number }[] = []
  for (let t = 0; t < 10; t++)
    for (let p = 0; p < 10; p++)
      confusion.push({ truth: t, predicted: p, count: run.truth.filter((x, i) => x === t && run.predicted[i] === p).length })
  const axes = { x: { field: 'predicted', type: 'ordinal', title: 'predicted' }, y: { field: 'truth', type: 'ordinal', title: 'digit' } }
  const matrix = await draw({
    width: 320,
    height: 320,
    data: { values: confusion },
    encoding: axes,
    layer: [
      {
        mark: 'rect',
        encoding: { color: { field: 'count', type: 'quantitative', scale: { type: 'sqrt', scheme: 'blues' }, legend: null } },
      },
      {
        mark: 'text',
        encoding: { text: { field: 'count' }, color: { condition: { test: 'datum.count > 12', value: 'white' }, value: 'black' } },
      },
    ],
  } as unknown as vegaLite.TopLevelSpec)

  const misread = run.truth.flatMap((t, i) =>
    run.predicted[i] === t ? [] : [{ image: run.images[i]!, title: `${t} read as ${run.predicted[i]}` }],
  )
  const digits = await Promise.all(
    misread.map(({ image, title }) =>
      draw({
        width: 72,
        height: 72,
        title: { text: title, fontSize: 11, fontWeight: 'normal' },
        data: { values: image.map((v, k) => ({ row: Math.floor(k / 8), column: k % 8, v })) },
        mark: 'rect',
        encoding: {
          x: { field: 'column', type: 'ordinal', axis: null },
          y: { field: 'row', type: 'ordinal', axis: null },
          color: { field: 'v', type: 'quantitative', scale: { domain: [0, 1], range: ['white', 'black'] }, legend: null },
        },
      } as vegaLite.TopLevelSpec),
    ),
  )

  const accuracy = 1 - misread.length / run.truth.length
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Handwritten digits</title>
<style>
  body { font: 15px/1.5 system-ui, sans-serif; max-width: 960px; margin: 2rem auto; padding: 0 1rem; color: #222 }
  h2 { font-size: 1.1rem; margin: 2rem 0 .5rem }
  .row { display: flex; flex-wrap: wrap; gap: 1.5rem; align-items: flex-start }
  svg { max-width: 100% }
</style>
<h1>Handwritten digits</h1>
<p>Test accuracy <b>${(100 * accuracy).toFixed(2)} %</b> (${run.truth.length - misread.length} of ${run.truth.length}) after ${run.accuracies.length} epochs:
${run.losses.length} steps in ${run.seconds.toFixed(2)} s. torch.js ${run.version}.</p>
<h2>Training loss and test accuracy</h2>
<div class="row">${losses}${accuracies}</div>
<h2>Confusion matrix</h2>
<div class="row">${matrix}</div>
<h2>The ${misread.length} misread digits</h2>
<div class="row">${digits.join('')}</div>
</html>
`
}

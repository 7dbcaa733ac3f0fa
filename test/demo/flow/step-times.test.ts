import fc from 'fast-check'
import t from 'tap'
import type { Span, Step } from '../../../src/core/trace.ts'
import { stepTimes } from '../../../src/demo/flow/step-times.ts'

function span(step: Step, startMs: number, endMs: number): Span {
  return { step, detail: '', startMs, durationMs: endMs - startMs }
}

t.test('a view’s own time is without its statements and its template', async (t) => {
  const spans = [
    span('server', 0, 1),
    span('model', 3, 7),
    span('template', 7, 8),
    span('view', 2, 9),
    span('reply', 9, 10),
  ]
  t.strictSame(stepTimes(spans, 12), {
    ownMs: { server: 1, view: 2, model: 4, template: 1, reply: 1 },
    betweenMs: 3,
  })
})

t.test('statements that run at once are counted once', async (t) => {
  const spans = [span('view', 0, 10), span('model', 2, 6), span('model', 3, 8)]
  t.strictSame(stepTimes(spans, 10), { ownMs: { view: 4, model: 6 }, betweenMs: 0 })
})

t.test('a request without spans waited all the time', async (t) => {
  t.strictSame(stepTimes([], 5), { ownMs: {}, betweenMs: 5 })
})

t.test('the parts add up to the whole, whatever the spans', async () => {
  const steps: Step[] = [
    'server',
    'middleware',
    'route',
    'view',
    'model',
    'template',
    'files',
    'reply',
  ]
  const ms = fc.integer({ min: -5, max: 120 })
  const anySpan = fc
    .tuple(fc.constantFrom(...steps), ms, ms)
    .map(([step, a, b]) => span(step, Math.min(a, b), Math.max(a, b)))
  fc.assert(
    fc.property(fc.array(anySpan, { maxLength: 12 }), (spans) => {
      const { ownMs, betweenMs } = stepTimes(spans, 100)
      const sum = Object.values(ownMs).reduce((all, one) => all + one, betweenMs)
      return sum === 100
    }),
  )
})

import t from 'tap'
import type { Span, Step } from '../../../src/core/trace.ts'
import { describeByHand, describeTicket, describeWay } from '../../../src/demo/flow/describe.ts'
import { DICTIONARIES } from '../../../src/demo/i18n/language.ts'
import type { RecordedTrace } from '../../../src/observe/trace-log.ts'

const ENGLISH = { lang: 'en', t: DICTIONARIES.en } as const

function span(step: Step, startMs: number, endMs: number, detail = ''): Span {
  return { step, detail, startMs, durationMs: endMs - startMs }
}

function trace(lane: 'view' | 'static', spans: Span[], totalMs: number): RecordedTrace {
  const startedAt = new Date(0)
  return { method: 'GET', path: '/', lane, status: 200, startedAt, totalMs, spans }
}

const PAGE = trace(
  'view',
  [
    span('server', 0, 1),
    span('route', 1, 1.05, '/posts/<int:id>'),
    span('model', 2, 5, 'post by id'),
    span('model', 2, 6, 'newest comments'),
    span('template', 6, 7, 'posts/post'),
    span('view', 1.5, 7.5),
    span('reply', 7.5, 8),
  ],
  8,
)

/** Rows by name: what the page's and the file's column say. */
function rowsOf(page?: RecordedTrace, file?: RecordedTrace) {
  const { parts } = describeWay(ENGLISH, page, file)
  return parts.flatMap(({ steps }) =>
    steps.map(({ name, detail, times }) => [name, detail, ...times.map(({ value }) => value)]),
  )
}

t.test('each station has the own time of its step and what the request met there', async (t) => {
  t.strictSame(rowsOf(PAGE, trace('static', [span('files', 0, 0.02)], 0.02)), [
    ['Browser', '', '', ''],
    ['Web server', '', '1.00 ms', ''],
    ['Files', '', '', '20 µs'],
    ['WAS', '', '', ''],
    ['URL conf', '/posts/<int:id>', '50 µs', ''],
    ['View', '', '1.00 ms', ''],
    ['Model', '2 statements', '4.00 ms', ''],
    ['Template', 'posts/post', '1.00 ms', ''],
    ['Reply', '', '0.50 ms', ''],
    ['Browser', '', '', ''],
  ])
})

t.test('the sums are the whole request and the time between the steps', async (t) => {
  const { sums } = describeWay(ENGLISH, PAGE, undefined)
  t.strictSame(
    sums.map(({ kind, times }) => [kind, ...times.map(({ value }) => value)]),
    [
      ['between', '0.45 ms', ''],
      ['sum', '8.00 ms', ''],
    ],
  )
})

t.test('before anything was measured there are reasons in place of times', async (t) => {
  t.ok(rowsOf().every(([, , page, file]) => page === '' && file === ''))
  const { parts } = describeWay(ENGLISH, undefined, undefined)
  const files = parts[1]?.steps[1]?.times.map((time) => 'why' in time && time.why)
  t.strictSame(files, ['does not stop here', 'not measured'])
  t.match(describeTicket(ENGLISH, 'file', undefined), {
    name: 'File',
    trace: null,
    none: /No file has been served/,
  })
})

t.test('the parts of a ticket’s bar fill it from end to end', async (t) => {
  const { trace: drawn } = describeTicket(ENGLISH, 'page', PAGE)
  if (drawn === null) throw new Error('nothing was drawn')
  t.equal(drawn.total, '8.00 ms')
  const end = drawn.parts.reduce((x, part) => {
    t.ok(Math.abs(part.x - x) < 1e-9, part.step)
    return x + part.width
  }, 0)
  t.ok(Math.abs(end - 1000) < 1, `ends at ${end}`)
})

t.test('the sentence for visitors without scripts links its two places', async (t) => {
  const parts = describeByHand(DICTIONARIES.en, '/', '/static/x.css')
  t.strictSame(
    parts.flatMap((part) => (part.href === false ? [] : [[part.href, part.label]])),
    [
      ['/', 'the board'],
      ['/static/x.css', 'a style sheet'],
    ],
  )
})

/** W3C Trace Context, by the cases of its own recommendation. */
import t from 'tap'
import { TraceContext } from '../../src/core/trace-context.ts'
import { passedOn, readTraceFields } from '../../src/http/trace-fields.ts'

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const SPAN = 'b7ad6b7169203331'
const GOOD = `00-${TRACE}-${SPAN}-01`

t.test(
  'a traceparent of version 00 is read, and of later ones the parts that 00 has',
  async (t) => {
    const read = { traceId: TRACE, spanId: SPAN, flags: 1, state: '' }
    t.same(readTraceFields(GOOD, undefined), read)
    t.same(readTraceFields(`00-${TRACE}-${SPAN}-ff`, ''), { ...read, flags: 255 })
    t.same(readTraceFields(`cc-${TRACE}-${SPAN}-01`, ''), read)
    t.same(readTraceFields(`cc-${TRACE}-${SPAN}-01-what-comes-later`, ''), read)
  },
)

t.test('all else begins a new trace', async (t) => {
  const bad = [
    undefined,
    '',
    `${GOOD}-more`,
    `${GOOD}.`,
    `ff-${TRACE}-${SPAN}-01`,
    `cc-${TRACE}-${SPAN}-01.what`,
    `cc-${TRACE}-${SPAN}-0`,
    `0-${TRACE}-${SPAN}-01`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    `00-${TRACE}-${SPAN.toUpperCase()}-01`,
    `00-${TRACE}-${SPAN}-0X`,
    `00-${'0'.repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `00-${TRACE.slice(1)}-${SPAN}-01`,
    `00_${TRACE}_${SPAN}_01`,
    `${GOOD}, ${GOOD}`,
    `${GOOD}\n`,
  ]
  for (const one of bad) t.equal(readTraceFields(one, 'a=1'), null, String(one))
})

t.test('a tracestate is passed on as a list, and left out where it is none', async (t) => {
  const stateOf = (text: string) => readTraceFields(GOOD, text)?.state
  const cases: [given: string, kept: string][] = [
    ['', ''],
    ['a=1', 'a=1'],
    ['a=1, b=2 ,\tc=3', 'a=1,b=2,c=3'],
    ['a=1,,b=2,', 'a=1,b=2'],
    ['1a-_*/@b=x y', '1a-_*/@b=x y'],
    ['tenant@system=!~', 'tenant@system=!~'],
    ['a=1,a=2', ''],
    ['A=1', ''],
    ['a', ''],
    ['=1', ''],
    ['a=', ''],
    ['a=1=2', ''],
    ['a=ü', ''],
    [`${'k'.repeat(256)}=1`, `${'k'.repeat(256)}=1`],
    [`${'k'.repeat(257)}=1`, ''],
    [`a=${'v'.repeat(256)}`, `a=${'v'.repeat(256)}`],
    [`a=${'v'.repeat(257)}`, ''],
  ]
  for (const [given, kept] of cases) t.equal(stateOf(given), kept, given.slice(0, 40))
  const members = (count: number) => Array.from({ length: count }, (_, i) => `k${i}=v`).join(',')
  t.equal(stateOf(members(32)), members(32))
  t.equal(stateOf(members(33)), '', 'more than 32 members')
})

t.test('of a long tracestate the long members go first, then those at its end', async (t) => {
  const long = `long=${'x'.repeat(200)}`
  const short = Array.from({ length: 8 }, (_, i) => `k${i}=${'y'.repeat(90)}`)
  const kept = readTraceFields(GOOD, [long, ...short].join(','))?.state ?? ''
  t.same(kept.split(','), short.slice(0, 5))
  t.ok(kept.length <= 512)
})

t.test('flags that nobody knows are not passed on', async (t) => {
  t.same(passedOn(`cc-${TRACE}-${SPAN}-ff`, 'a=1'), {
    traceparent: `00-${TRACE}-${SPAN}-03`,
    tracestate: 'a=1',
  })
  t.equal(passedOn('nonsense', 'a=1'), null)
  const context = new TraceContext(readTraceFields(`00-${TRACE}-${SPAN}-00`, ''), TRACE, false)
  t.match(context.headers()['traceparent'], new RegExp(`^00-${TRACE}-[0-9a-f]{16}-00$`))
  t.equal(context.headers()['traceparent'], context.headers()['traceparent'], 'it keeps its span')
})

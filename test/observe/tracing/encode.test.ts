/** Spans in OTLP's JSON, held against the protocol's definitions. */
import t from 'tap'
import {
  encodeSpan,
  envelopeOf,
  KIND,
  type SpanToTell,
} from '../../../src/observe/tracing/encode.ts'
import { problemOf } from '../../support/collector.ts'

const SPAN: SpanToTell = {
  traceId: '0af7651916cd43dd8448eb211c80319c',
  spanId: 'b7ad6b7169203331',
  parentId: '',
  isParentRemote: false,
  flags: 3,
  state: '',
  name: 'GET /',
  kind: KIND.server,
  startMs: 1_795_766_271_671,
  endMs: 1_795_766_271_671.5,
  attributes: [],
  hasFailed: false,
}

function understood(span: Partial<SpanToTell>) {
  const [before, behind] = envelopeOf([['service.name', 'a "b"\n']], '1.0')
  const request = JSON.parse(before + encodeSpan({ ...SPAN, ...span }) + behind)
  t.equal(problemOf(request), null)
  return request.resourceSpans[0].scopeSpans[0].spans[0]
}

t.test('times are nanoseconds to the last digit, and never end before they begin', async (t) => {
  t.match(understood({}), {
    startTimeUnixNano: '1795766271671000000',
    endTimeUnixNano: '1795766271671500000',
  })
  t.match(understood({ startMs: 1.9999999, endMs: 1 }), {
    startTimeUnixNano: '1999999',
    endTimeUnixNano: '1999999',
  })
})

t.test('values have their types, whatever they are', async (t) => {
  const values = {
    text: 'ü "\\\u0000',
    half: '\ud800',
    whole: -7,
    large: 2 ** 53,
    real: 0.25,
    none: Number.NaN,
    most: Number.POSITIVE_INFINITY,
    yes: true,
  }
  const { attributes } = understood({ attributes: Object.entries(values) })
  const found = Object.fromEntries(
    attributes.map(({ key, value }: { key: string; value: unknown }) => [key, value]),
  )
  t.same(found, {
    text: { stringValue: 'ü "\\\u0000' },
    half: { stringValue: '\ufffd' },
    whole: { intValue: '-7' },
    large: { doubleValue: 2 ** 53 },
    real: { doubleValue: 0.25 },
    none: { doubleValue: 'NaN' },
    most: { doubleValue: 'Infinity' },
    yes: { boolValue: true },
  })
})

t.test('long texts are cut', async (t) => {
  const { name, attributes } = understood({
    name: 'n'.repeat(1000),
    attributes: [['a', 'x'.repeat(100_000)]],
  })
  t.equal(name.length, 256)
  t.equal(attributes[0].value.stringValue.length, 4096)
})

t.test('what is not there is not told', async (t) => {
  t.strictSame(Object.keys(understood({})), [
    'traceId',
    'spanId',
    'flags',
    'name',
    'kind',
    'startTimeUnixNano',
    'endTimeUnixNano',
    'status',
  ])
  t.match(
    understood({
      parentId: 'b7ad6b7169203332',
      isParentRemote: true,
      state: 'a=1',
      hasFailed: true,
      droppedAttributes: 2,
    }),
    {
      parentSpanId: 'b7ad6b7169203332',
      flags: 0x303,
      traceState: 'a=1',
      status: { code: 2 },
      droppedAttributesCount: 2,
    },
  )
})

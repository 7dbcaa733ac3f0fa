import fc from 'fast-check'
import t from 'tap'
import type { Segment } from '../../src/files/entry.ts'
import { joinSegments, memorySource, SegmentedBody } from '../../src/files/segments.ts'

const CONTENT = Buffer.from('abcdefghijklmnopqrstuvwxyz')
const bytes = new Uint8Array(CONTENT).buffer

function literal(text: string): Segment {
  return { bytes: Buffer.from(text), start: 0, end: text.length }
}

const segment = fc.oneof(
  fc.stringMatching(/^[0-9]{1,5}$/).map(literal),
  fc
    .tuple(fc.nat(25), fc.nat(25))
    .map(([start, more]): Segment => ({ bytes: null, start, end: Math.min(26, start + 1 + more) })),
)

t.test('a body is the same from wherever and in whatever steps it is read', async () => {
  fc.assert(
    fc.property(
      fc.array(segment, { minLength: 1, maxLength: 6 }),
      fc.integer({ min: 1, max: 9 }),
      fc.nat(1000),
      (segments, step, from) => {
        const whole = segments
          .map((one) => Buffer.from(one.bytes ?? CONTENT.subarray(one.start, one.end)).toString())
          .join('')
        if (Buffer.from(joinSegments(segments, bytes)).toString() !== whole) return false
        const body = new SegmentedBody(segments, memorySource(bytes))
        const start = from % whole.length
        let read = ''
        while (start + read.length < whole.length) {
          const part = body.read(start + read.length, step)
          if (!(part instanceof Uint8Array) || part.byteLength === 0) return false
          read += Buffer.from(part).toString()
        }
        return read === whole.slice(start)
      },
    ),
  )
})

t.test('nothing stands behind the end', async (t) => {
  const body = new SegmentedBody([literal('abc')], memorySource(bytes))
  t.throws(() => body.read(3, 10), { message: 'a body of 3 bytes has nothing at 3' })
})

import fc from 'fast-check'
import t from 'tap'
import { Input } from '../../../src/model/wire/input.ts'

function message(type: string, content: Uint8Array): Buffer {
  const head = Buffer.alloc(5)
  head.write(type, 0, 'latin1')
  head.writeInt32BE(content.byteLength + 4, 1)
  return Buffer.concat([head, content])
}

/** What an Input makes of pieces: each message as its type and content. */
function read(pieces: readonly Buffer[]): string[] {
  const seen: string[] = []
  const input = new Input((type, buffer, at, end) => {
    seen.push(`${String.fromCharCode(type)}${buffer.toString('hex', at, end)}`)
  })
  for (const piece of pieces) input.push(piece)
  return seen
}

t.test('messages are the same wherever the packets are cut', (t) => {
  const content = fc.uint8Array({ maxLength: 40 })
  const letter = fc.constantFrom('D', 'C', 'Z', '1')
  fc.assert(
    fc.property(fc.array(fc.tuple(letter, content)), fc.array(fc.nat(30)), (list, cuts) => {
      const bytes = Buffer.concat(list.map(([type, bytes]) => message(type, bytes)))
      const pieces: Buffer[] = []
      let at = 0
      for (const cut of cuts) {
        pieces.push(bytes.subarray(at, at + cut))
        at += cut
      }
      pieces.push(bytes.subarray(at))
      const expected = list.map(([type, bytes]) => `${type}${Buffer.from(bytes).toString('hex')}`)
      t.strictSame(read(pieces), expected)
    }),
  )
  t.end()
})

t.test('a message in very many pieces is put together once', (t) => {
  const content = Buffer.alloc(3_000_000, 0x61)
  const bytes = message('D', content)
  const pieces: Buffer[] = []
  for (let at = 0; at < bytes.byteLength; at += 10) pieces.push(bytes.subarray(at, at + 10))
  let length = 0
  const input = new Input((_, __, at, end) => {
    length = end - at
  })
  for (const piece of pieces) input.push(piece)
  t.equal(length, content.byteLength)
  t.end()
})

t.test('a length that no message has is an error', (t) => {
  for (const length of [3, 0, -1, 0x40000000]) {
    const bytes = Buffer.from([0x44, 0, 0, 0, 0, 0])
    bytes.writeInt32BE(length, 1)
    t.throws(() => read([bytes]), { message: `PostgreSQL sent a message of ${length} bytes` })
  }
  t.end()
})

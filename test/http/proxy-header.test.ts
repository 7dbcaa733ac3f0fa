/** The header of the PROXY protocol: whom it names, what is none, and what only begins as one. */
import fc from 'fast-check'
import t from 'tap'
import { readProxyHeader } from '../../src/http/proxy-header.ts'

const read = (text: string) => readProxyHeader(Buffer.from(text, 'latin1'))
const SIGNATURE = '\r\n\r\n\0\r\nQUIT\n'

/** Of version 2. */
function binary(command: number, family: number, addresses: Buffer, length = addresses.length) {
  const rest = Buffer.from([command, family, length >> 8, length & 255])
  return Buffer.concat([Buffer.from(SIGNATURE, 'latin1'), rest, addresses])
}

t.test('version 1: addresses, and what is wrong with others', async (t) => {
  const good: Record<string, string | null> = {
    'PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n': '192.0.2.1',
    'PROXY TCP6 2001:db8::1 ::1 0 65535\r\n': '2001:db8::1',
    'PROXY TCP6 2001:0DB8:0:0::1 ::1 0 65535\r\n': '2001:db8::1',
    'PROXY TCP6 ::ffff:9.9.9.9 ::1 1 2\r\n': '9.9.9.9',
    'PROXY TCP6 ::FFFF:707:707 ::1 1 2\r\n': '7.7.7.7',
    'PROXY UNKNOWN\r\n': null,
    'PROXY UNKNOWN ffff::1 whatever 1\r\n': null,
  }
  for (const [text, address] of Object.entries(good)) {
    t.strictSame(read(`${text}GET /`), { length: text.length, address }, text)
    for (let i = 1; i < text.length; i++) t.equal(read(text.slice(0, i)), 'more', text.slice(0, i))
  }
  for (const text of [
    'PROXY TCP4 192.0.2.1 198.51.100.1 56324\r\n',
    'PROXY TCP4 192.0.2.1 198.51.100.1 56324 443 1\r\n',
    'PROXY TCP4 ::1 ::1 1 1\r\n',
    'PROXY TCP4 192.0.2.300 198.51.100.1 1 1\r\n',
    'PROXY TCP6 192.0.2.1 198.51.100.1 1 1\r\n',
    'PROXY TCP6 fe80::1%eth0 ::1 1 1\r\n',
    'PROXY TCP4 192.0.2.1  198.51.100.1 1 1\r\n',
    'PROXY TCP4 192.0.2.1 198.51.100.1 65536 1\r\n',
    'PROXY TCP4 192.0.2.1 198.51.100.1 01 1\r\n',
    'PROXY UDP4 192.0.2.1 198.51.100.1 1 1\r\n',
    'PROXY \r\n',
    `PROXY UNKNOWN ${'x'.repeat(100)}\r\n`,
  ])
    t.equal(read(text), 'bad', text)
})

t.test('version 2: addresses, a balancer of its own accord, and what is wrong', async (t) => {
  const four = Buffer.from([192, 0, 2, 7, 10, 0, 0, 1, 1, 2, 3, 4])
  const six = Buffer.alloc(36)
  six.writeUInt32BE(0x2001_0db8, 0)
  const mapped = Buffer.alloc(36)
  mapped.writeUInt16BE(0xffff, 10)
  mapped.writeUInt32BE(0xff01_0009, 12)
  six[15] = 9
  const more = Buffer.concat([four, Buffer.alloc(300, 1)])
  const good: [Buffer, string | null][] = [
    [binary(0x21, 0x11, four), '192.0.2.7'],
    [binary(0x21, 0x11, more), '192.0.2.7'],
    [binary(0x21, 0x21, six), '2001:db8::9'],
    [binary(0x21, 0x21, mapped), '255.1.0.9'],
    [binary(0x20, 0x11, four), null],
    [binary(0x20, 0x00, Buffer.alloc(0)), null],
    [binary(0x21, 0x00, Buffer.alloc(0)), null],
    [binary(0x21, 0x31, Buffer.alloc(216)), null],
  ]
  for (const [bytes, address] of good) {
    const whole = Buffer.concat([bytes, Buffer.from('GET /')])
    t.strictSame(readProxyHeader(whole), { length: bytes.length, address })
    for (let i = 1; i < bytes.length; i++)
      if (readProxyHeader(bytes.subarray(0, i)) !== 'more') t.fail(`after ${i} bytes`)
  }
  const bad = [
    binary(0x11, 0x11, four),
    binary(0x22, 0x11, four),
    binary(0x21, 0x12, four),
    binary(0x21, 0x99, four),
    binary(0x21, 0x11, four.subarray(0, 8)),
    binary(0x21, 0x21, six.subarray(0, 32)),
    binary(0x21, 0x11, four, 60_000),
  ]
  for (const bytes of bad) t.equal(readProxyHeader(bytes), 'bad', bytes.toString('hex'))
})

t.test('what a browser, a client of TLS or of HTTP/2 begins with is none', async (t) => {
  for (const text of [
    'GET / HTTP/1.1\r\n',
    'P',
    'PRI * HTTP/2.0',
    'PROXYX',
    '\r\nGET',
    '\x16\x03\x01',
  ])
    t.equal(read(text), text === 'P' ? 'more' : 'none', text)
})

t.test('whatever comes, it says something that fits and never throws', async (t) => {
  const noise = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.uint8Array({ maxLength: 300 }).map((rest) => Buffer.concat([Buffer.from('PROXY '), rest])),
    fc
      .uint8Array({ maxLength: 300 })
      .map((rest) => Buffer.concat([Buffer.from(SIGNATURE, 'latin1'), rest])),
  )
  fc.assert(
    fc.property(noise, (bytes) => {
      const found = readProxyHeader(Buffer.from(bytes))
      return typeof found === 'string' || (found.length > 0 && found.length <= bytes.length)
    }),
  )
  t.pass()
})

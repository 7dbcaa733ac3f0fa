/** Bytes of a peer as the engine tells them, and the text that people write for them. */
import t from 'tap'
import { readAddress } from '../../src/server/address-text.ts'
import type { EngineResponse } from '../../src/server/engine-types.ts'

/** What the engine's two calls give; `asked` counts the dearer one. */
function peer(bytes: readonly number[], text: string) {
  const asked = { times: 0 }
  const res = {
    getRemoteAddress: () => Uint8Array.from(bytes).buffer,
    getRemoteAddressAsText() {
      asked.times++
      return Uint8Array.from(Buffer.from(text)).buffer
    },
  }
  return { res: res as unknown as EngineResponse, asked }
}

const MAPPED = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]

t.test('IPv4 is read from its bytes, through whichever socket it came', async (t) => {
  for (const bytes of [
    [192, 0, 2, 1],
    [0, 0, 0, 0],
    [255, 255, 255, 255],
    [1, 2, 0, 192],
  ]) {
    for (const all of [bytes, [...MAPPED, ...bytes]]) {
      const { res, asked } = peer(all, 'never')
      t.equal(readAddress(res), bytes.join('.'))
      t.equal(readAddress(res), bytes.join('.'), 'once more')
      t.equal(asked.times, 0)
    }
  }
})

t.test('more clients than are kept are told apart', async (t) => {
  for (let round = 0; round < 2; round++) {
    for (let i = 0; i < 5000; i++) {
      const bytes = [10, 0, i >> 8, i & 255]
      const text = readAddress(peer(bytes, '').res)
      if (text !== bytes.join('.')) t.equal(text, bytes.join('.'))
    }
  }
  t.equal(readAddress(peer([10, 0, 0, 7], '').res), '10.0.0.7')
})

t.test('IPv6 is short, and what is almost mapped is IPv6', async (t) => {
  const six = (text: string, bytes: readonly number[]) => readAddress(peer(bytes, text).res)
  const loopback = [...Array.from({ length: 15 }, () => 0), 1]
  t.equal(six('0000:0000:0000:0000:0000:0000:0000:0001', loopback), '::1')
  const almost = [...MAPPED.slice(0, 9), 1, 0xff, 0xff, 192, 0, 2, 1]
  t.equal(six('0000:0000:0000:0000:0001:ffff:c000:0201', almost), '::1:ffff:c000:201')
})

t.test('who tells a text alone, or nothing, is asked for that', async (t) => {
  const text = Uint8Array.from(Buffer.from('192.0.2.9')).buffer
  const strict = { getRemoteAddressAsText: () => text } as unknown as EngineResponse
  t.equal(readAddress(strict), '192.0.2.9')
  t.equal(readAddress(peer([], '').res), '')
})

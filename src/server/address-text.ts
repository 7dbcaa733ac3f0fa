/**
 * The address of a peer as people write it. The engine tells its bytes at each request anew, and to make a text of them
 * costs more than to find one that was made before. Called by `native-fields.ts`, which reads it for logs and views.
 */
import type { EngineResponse } from './engine-types.ts'

/** As many clients as come one after the other; a text has at most 39 characters. */
const MAX_KEPT = 4096
/** The third word of `::ffff:0:0/96`, IPv4 that came through an IPv6 socket, as this machine reads it. */
const MAPPED = new Uint32Array(Uint8Array.of(0, 0, 0xff, 0xff).buffer)[0] as number

const kept = new Map<number, string>()

/** The peer of `res`, while it may be touched; empty when nobody knows it. */
export function readAddress(res: EngineResponse): string {
  const bytes = res.getRemoteAddress?.()
  const word = bytes === undefined ? null : wordOf(bytes)
  if (word === null)
    return formatAddress(Buffer.from(res.getRemoteAddressAsText()).toString('latin1'))
  return kept.get(word) ?? keep(word)
}

/** The four bytes of an IPv4 address as they lie in memory; null: it is IPv6, or there is none. */
function wordOf(bytes: ArrayBuffer): number | null {
  if (bytes.byteLength === 4) return new Uint32Array(bytes)[0] as number
  if (bytes.byteLength !== 16) return null
  const words = new Uint32Array(bytes)
  const isMapped = words[0] === 0 && words[1] === 0 && words[2] === MAPPED
  return isMapped ? (words[3] as number) : null
}

function keep(word: number): string {
  const text = new Uint8Array(Uint32Array.of(word).buffer).join('.')
  if (kept.size >= MAX_KEPT) kept.clear()
  kept.set(word, text)
  return text
}

/** As people write it: IPv4 that came through an IPv6 socket is IPv4 again, IPv6 is short. */
export function formatAddress(address: string): string {
  if (!address.includes(':')) return address
  const mapped = /^(?:0{1,4}:){5}ffff:([0-9a-f]{2})([0-9a-f]{2}):([0-9a-f]{2})([0-9a-f]{2})$/i.exec(
    address,
  )
  if (mapped === null) return new URL(`http://[${address}]`).hostname.slice(1, -1)
  const bytes = mapped.slice(1).map((byte) => Number.parseInt(byte, 16))
  return bytes.join('.')
}

/**
 * Status line and fields of a reply as the bytes of one engine call: `200 OK\r\nContent-Type: …`.
 * Heads without further fields are made once and kept.
 */
import { type HeaderList, withVary } from '../http/headers.ts'
import type { Reply } from '../http/reply.ts'
import { statusLine } from '../http/status.ts'

/** Different content types a site uses with a status; more than that are made anew each time. */
const MAX_KEPT = 1024

export interface Heads {
  /** The head of `reply`, without Content-Length, Date and Connection, without CRLF at its end. */
  of(reply: Reply): ArrayBuffer
}

/** `base` are the fields of every reply; a field that a reply sets itself takes their place. */
export function createHeads(base: HeaderList): Heads {
  const kept = new Map<string | null, ArrayBuffer>()
  /** Of 200 without a coding by type alone: for nearly every reply no key has to be made. */
  const usual = new Map<string | null, ArrayBuffer>()
  return {
    of(reply) {
      const { status, type, headers, coding } = reply
      if (headers !== null) return encodeHead(reply, base)
      const isUsual = status === 200 && coding === null
      const heads = isUsual ? usual : kept
      const key = isUsual ? type : `${status}${coding}${type}`
      let head = heads.get(key)
      if (head === undefined) {
        head = encodeHead(reply, base)
        if (heads.size < MAX_KEPT) heads.set(key, head)
      }
      return head
    },
  }
}

/** A buffer of its own: the engine takes one quicker than a view of one. */
function encodeHead(reply: Reply, base: HeaderList): ArrayBuffer {
  const own = ownFields(reply)
  const named = new Set(own.map(([name]) => name.toLowerCase()))
  let head = statusLine(reply.status)
  if (reply.type !== null && !named.has('content-type')) head += `\r\nContent-Type: ${reply.type}`
  for (const [name, value] of base)
    if (!named.has(name.toLowerCase())) head += `\r\n${name}: ${value}`
  for (const [name, value] of own) head += `\r\n${name}: ${value}`
  const bytes = new Uint8Array(head.length)
  Buffer.from(bytes.buffer).write(head, 'latin1')
  return bytes.buffer
}

function ownFields({ headers, coding }: Reply): HeaderList {
  const own = headers ?? []
  if (coding === null) return own
  const fields = withVary(own, 'Accept-Encoding')
  if (coding !== 'identity') fields.push(['Content-Encoding', coding])
  return fields
}

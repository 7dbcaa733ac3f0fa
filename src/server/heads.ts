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
  of(reply: Reply): Uint8Array
}

/** `base` are the fields of every reply; a field that a reply sets itself takes their place. */
export function createHeads(base: HeaderList): Heads {
  const kept = new Map<string, Uint8Array>()
  return {
    of(reply) {
      if (reply.headers !== null) return encodeHead(reply, base)
      const key = `${reply.status}${reply.coding}${reply.type}`
      let head = kept.get(key)
      if (head === undefined) {
        head = encodeHead(reply, base)
        if (kept.size < MAX_KEPT) kept.set(key, head)
      }
      return head
    },
  }
}

function encodeHead(reply: Reply, base: HeaderList): Uint8Array {
  const own = ownFields(reply)
  const named = new Set(own.map(([name]) => name.toLowerCase()))
  let head = statusLine(reply.status)
  if (reply.type !== null && !named.has('content-type')) head += `\r\nContent-Type: ${reply.type}`
  for (const [name, value] of base)
    if (!named.has(name.toLowerCase())) head += `\r\n${name}: ${value}`
  for (const [name, value] of own) head += `\r\n${name}: ${value}`
  return Buffer.from(head, 'latin1')
}

function ownFields({ headers, coding }: Reply): HeaderList {
  const own = headers ?? []
  if (coding === null) return own
  const fields = withVary(own, 'Accept-Encoding')
  if (coding !== 'identity') fields.push(['Content-Encoding', coding])
  return fields
}

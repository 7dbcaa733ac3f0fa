/** The reply to a request that no view may see: its status in words. Called by the lanes. */
import { formatHttpDate } from '../http/date.ts'
import { type Reply, text } from '../http/reply.ts'
import { reasonOf } from '../http/status.ts'
import type { Heads } from './heads.ts'

export function refusal(status: number): Reply {
  return text(`${status} ${reasonOf(status)}\n`, { status })
}

/** Bytes of its content. */
export function refusalLength(status: number, hint = ''): number {
  return (refusal(status).body as string).length + hint.length
}

/** For a connection that there is no room for, whenever it comes: a reply without a Date (RFC 9110 section 6.6.1 lets a 5xx be). */
export function busyBytes(heads: Heads): Uint8Array {
  const body = text(`503 ${reasonOf(503)}\n`, { status: 503, headers: { 'Retry-After': '1' } })
  return whole(body, heads, [])
}

/** The whole of it, for a connection without a request that could be answered. `hint`: what to do. */
export function refusalBytes(status: number, heads: Heads, hint = ''): Uint8Array {
  const body = text(`${status} ${reasonOf(status)}\n${hint}`, { status })
  return whole(body, heads, [`Date: ${formatHttpDate(Date.now())}`])
}

function whole(reply: Reply, heads: Heads, lines: readonly string[]): Uint8Array {
  const content = reply.body as string
  const head = `HTTP/1.1 ${Buffer.from(heads.of(reply)).toString('latin1')}`
  const all = [
    head,
    ...lines,
    'Connection: close',
    `Content-Length: ${content.length}`,
    '',
    content,
  ]
  return Buffer.from(all.join('\r\n'), 'latin1')
}

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

/** The whole of it, for a connection without a request that could be answered. `hint`: what to do. */
export function refusalBytes(status: number, heads: Heads, hint = ''): Uint8Array {
  const body = text(`${status} ${reasonOf(status)}\n${hint}`, { status })
  const head = `HTTP/1.1 ${Buffer.from(heads.of(body)).toString('latin1')}`
  const content = body.body as string
  const rest = `Date: ${formatHttpDate(Date.now())}\r\nConnection: close\r\nContent-Length: ${content.length}`
  return Buffer.from(`${head}\r\n${rest}\r\n\r\n${content}`, 'latin1')
}

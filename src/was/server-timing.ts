/**
 * Where the time of a request went, for its client: the field Server-Timing (W3C, Server Timing), down to statements and
 * templates. Only for clients that the site has named, since times tell secrets. `app.ts` puts it around the dispatcher.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import * as z from 'zod'
import { type Span, Trace } from '../core/trace.ts'
import { NETWORK_WORDS, Networks, readNetwork } from '../http/networks.ts'
import { Reply } from '../http/reply.ts'
import type { Request } from '../http/request.ts'
import type { Handler } from './dispatch.ts'
import { privateCopy } from './own-reply.ts'

/** Who gets times; one of the two is enough. */
export interface ServerTimingOptions {
  /** Networks, addresses, `loopback` or `private`, by `req.client`. Default none. */
  readonly clients?: readonly string[] | undefined
  /** What others send as `X-Server-Timing`, at least 16 characters, from the environment. Default: nothing helps. */
  readonly token?: string | undefined
}

/** `ServerTimingOptions`, complete. */
export interface SiteServerTiming {
  readonly clients: readonly string[]
  readonly token: string | null
}

/** Entries of one field at most: the rest is one, `more`. */
const MAX_ENTRIES = 40
const MAX_NAME_LENGTH = 60

const client = z
  .string()
  .refine(
    (text) => text === 'loopback' || text === 'private' || readNetwork(text) !== undefined,
    `is not ${NETWORK_WORDS}`,
  )

export const serverTimingSchema = z.strictObject({
  clients: z.array(client).optional(),
  // Its message never quotes it.
  token: z
    .custom<string>(
      (value) => typeof value === 'string' && /^[\x21-\x7e]{16,512}$/.test(value),
      'is no token: 16 to 512 characters of ASCII, without blanks',
    )
    .optional(),
})

export function serverTimingOf(given: ServerTimingOptions | undefined): SiteServerTiming | null {
  return given === undefined ? null : { clients: given.clients ?? [], token: given.token ?? null }
}

/** Around all that answers by the dispatcher; null: nobody gets times, and nothing is done for it. */
export function serverTiming(options: SiteServerTiming | null): (inner: Handler) => Handler {
  if (options === null) return (inner) => inner
  const networks = new Networks(options.clients, (network) => new Error(`${network} is no network`))
  const wanted = options.token === null ? null : hashOf(options.token)
  const isAllowed = (req: Request): boolean => {
    const shown = wanted === null ? undefined : req.header('x-server-timing')
    if (shown !== undefined && wanted !== null && timingSafeEqual(hashOf(shown), wanted))
      return true
    return options.clients.length > 0 && networks.has(req.client.address)
  }
  return (inner) => (req) => {
    if (!isAllowed(req)) return inner(req)
    req.trace ??= new Trace()
    const { trace } = req
    trace.isRecording = true
    const result = inner(req)
    return result instanceof Reply
      ? told(result, trace)
      : result.then((reply) => told(reply, trace))
  }
}

/** Another client must not get them from a cache. */
function told(reply: Reply, trace: Trace): Reply {
  return privateCopy(reply).append('Server-Timing', timingsOf(trace, performance.now()))
}

/** `route;dur=0.1;desc="/", sql.all-posts;dur=2.1;desc="all posts, 2 times", total;dur=5.4` */
export function timingsOf({ startedAt, spans }: Trace, now: number): string {
  const entries = new Map<string, { durationMs: number; times: number; detail: string }>()
  for (const span of spans) {
    const name = nameOf(span)
    const place = entries.has(name) || entries.size < MAX_ENTRIES ? name : 'more'
    const entry = entries.get(place) ?? { durationMs: 0, times: 0, detail: '' }
    entry.durationMs += span.durationMs
    entry.times++
    entry.detail = place === 'more' ? '' : span.detail
    entries.set(place, entry)
  }
  const parts = [...entries].map(([name, { durationMs, times, detail }]) => {
    const words = [detail, times > 1 ? `${times} times` : ''].filter((word) => word !== '')
    const desc = words.length === 0 ? '' : `;desc="${quotable(words.join(', '))}"`
    return `${name};dur=${durationMs.toFixed(2)}${desc}`
  })
  return [...parts, `total;dur=${(now - startedAt).toFixed(2)}`].join(', ')
}

function nameOf({ step, detail }: Span): string {
  if (step === 'model') return `sql.${tokenOf(detail)}`
  if (step === 'template') return `tpl.${tokenOf(detail)}`
  if (step === 'transaction') return detail === '' ? step : tokenOf(detail)
  return step === 'part' ? `part.${tokenOf(detail)}` : step
}

function tokenOf(text: string): string {
  return text.slice(0, MAX_NAME_LENGTH).replace(/[^A-Za-z0-9_.-]+/g, '-') || 'unnamed'
}

/** For a quoted string of a field (RFC 9110 section 5.6.4): plain ASCII. */
function quotable(text: string): string {
  return text
    .slice(0, 2 * MAX_NAME_LENGTH)
    .replace(/[^\x20-\x7e]/g, '?')
    .replace(/["\\]/g, '\\$&')
}

function hashOf(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

/**
 * The only writer of the native lane: a `Reply` becomes calls on the engine's response. Framing
 * (Content-Length, chunks, HEAD, 204, 304), backpressure and aborts are decided here.
 */
import { createError } from '../core/errors.ts'
import { formatHttpDate } from '../http/date.ts'
import type { Reply, ReplyBody } from '../http/reply.ts'
import { isBodiless } from '../http/status.ts'
import type { Exchange } from './exchange.ts'
import { pullUntilAbort } from './pull-body.ts'

/**
 * Up to here `end` may copy what the kernel refuses; larger bodies wait for the reader instead. A socket
 * takes as much at once unless its client lets many replies pile up.
 */
export const MAX_COPIED_BYTES = 16 * 1024

/**
 * Writes `reply` with `head` (see heads.ts). Call it inside the handler or inside `cork`, once, and
 * never after an abort. Bodies that do not end here end later by themselves; `exchange.onDone` tells.
 */
export function writeReply(exchange: Exchange, reply: Reply, head: Uint8Array | ArrayBuffer): void {
  const { res, isHead } = exchange
  const { body } = reply
  exchange.status = reply.status
  res.writeStatus(head)
  if (isBodiless(reply.status)) {
    discard(body)
    endWithout(exchange, null)
  } else if (isHead) {
    discard(body)
    endWithout(exchange, lengthOf(reply))
  } else if (body === null || reply.status === 205) {
    discard(body)
    endWith(exchange, '')
  } else if (typeof body === 'string' || body instanceof Uint8Array) {
    writeWhole(exchange, body)
  } else if (reply.length === null) {
    exchange.watch()
    writeChunks(exchange, body).catch((error) => exchange.cut(error))
  } else {
    exchange.watch()
    writeSized(exchange, body, reply.length).catch((error) => exchange.cut(error))
  }
}

/** Ends without content; `length` is what a GET would have had, or null for no Content-Length. */
export function endWithout(exchange: Exchange, length: number | null): void {
  const { res, close, closesByItself } = exchange
  exchange.onEnding?.()
  if (length !== null) res.writeHeader('Content-Length', String(length))
  if (close) announceClose(exchange)
  if (close && !closesByItself && res.closesAfterEnd !== true) {
    closeAfterHead(exchange)
  } else {
    res.endWithoutBody()
    exchange.done()
  }
}

/**
 * The engine's own way to end without a body and close writes a Content-Length: 0, which is wrong for
 * 204, 304 and HEAD. So the head is ended here, by a blank line after its last field, and the connection
 * is closed once it has left; until then the reply counts as pending, and what stands behind the request
 * makes the engine close at once instead of running it.
 */
function closeAfterHead(exchange: Exchange): void {
  const { res } = exchange
  res.writeHeader('Date', `${formatHttpDate(Date.now())}\r\n`)
  exchange.onAbort = null
  exchange.watch()
  exchange.done()
  setImmediate(() => {
    if (!exchange.aborted) res.close()
  })
}

/** Tells the client that the connection ends with this reply. */
export function announceClose({ res }: Exchange): void {
  res.writeHeader('Connection', 'close')
}

/** Ends with a body the engine may copy. It announces a close by itself unless the client asked for it. */
function endWith(exchange: Exchange, body: string | Uint8Array | ArrayBuffer): void {
  if (exchange.close && exchange.closesByItself) announceClose(exchange)
  if (exchange.record !== null) exchange.bodyBytes = bytesOf(body)
  exchange.res.end(body, exchange.close)
  exchange.done()
}

/** A body that is there as a whole. */
export function writeWhole(exchange: Exchange, body: string | Uint8Array | ArrayBuffer): void {
  const length = typeof body === 'string' ? body.length : body.byteLength
  if (length <= MAX_COPIED_BYTES) endWith(exchange, body)
  else writeLarge(exchange, typeof body === 'string' ? Buffer.from(body) : body)
}

/** A body that the kernel may not take at once: the rest waits for the reader, uncopied. */
function writeLarge(exchange: Exchange, body: Uint8Array | ArrayBuffer): void {
  const { res } = exchange
  if (exchange.close) announceClose(exchange)
  const total = body.byteLength
  const [, done] = res.tryEnd(body, total)
  count(exchange, done, total)
  if (done) return exchange.done()
  exchange.watch()
  exchange.waitingSince = performance.now()
  const buffer = body instanceof ArrayBuffer ? body : body.buffer
  const start = body instanceof ArrayBuffer ? 0 : body.byteOffset
  const retry = (): void => void send(res.getWriteOffset())
  const send = (offset: number): boolean => {
    const [ok, ended] = res.tryEnd(
      new Uint8Array(buffer as ArrayBuffer, start + offset, total - offset),
      total,
    )
    count(exchange, ended, total)
    if (ended) exchange.done()
    else exchange.retryBy(mayRetry(total - res.getWriteOffset()) ? retry : null)
    return ok
  }
  exchange.retryBy(mayRetry(total - res.getWriteOffset()) ? retry : null)
  res.onWritable(send)
}

function count(exchange: Exchange, isEnded: boolean, total: number): void {
  if (exchange.record !== null) exchange.bodyBytes = isEnded ? total : exchange.res.getWriteOffset()
}

/** A body of unknown length, in chunks (RFC 9112 section 7.1). */
async function writeChunks(
  exchange: Exchange,
  body: AsyncIterable<string | Uint8Array>,
): Promise<void> {
  const { res } = exchange
  if (exchange.close) announceClose(exchange)
  const pull = pullUntilAbort(exchange, body)
  for await (const chunk of pull) {
    if (exchange.aborted) return
    for (const slice of slicesOf(chunk)) {
      let taken = true
      res.cork(() => {
        taken = res.write(slice)
      })
      if (!taken) await writable(exchange, false)
      if (exchange.aborted) return
      exchange.chunkBytes += slice.length
      if (exchange.record !== null) exchange.bodyBytes += bytesOf(slice)
    }
  }
  if (exchange.aborted) return
  exchange.onEnding?.()
  res.cork(() => res.end())
  exchange.done()
}

/** So much of a chunk the engine may keep, and that the kernel takes at once when it asks for more. */
const MAX_SLICE = 64 * 1024

function* slicesOf(chunk: string | Uint8Array): Generator<string | Uint8Array> {
  if (chunk.length <= MAX_SLICE) {
    if (chunk.length > 0) yield chunk
    return
  }
  const all = typeof chunk === 'string' ? Buffer.from(chunk) : chunk
  for (let at = 0; at < all.length; at += MAX_SLICE) yield all.subarray(at, at + MAX_SLICE)
}

/** A body of known length. What comes short of it, or exceeds it, cuts the connection: never padded. */
async function writeSized(
  exchange: Exchange,
  body: AsyncIterable<string | Uint8Array>,
  total: number,
): Promise<void> {
  if (total === 0) {
    discard(body)
    exchange.onEnding?.()
    endWith(exchange, '')
    return
  }
  if (exchange.close) announceClose(exchange)
  let sent = 0
  for await (const item of pullUntilAbort(exchange, body)) {
    if (exchange.aborted) return
    const chunk = typeof item === 'string' ? Buffer.from(item) : item
    if (sent + chunk.byteLength > total)
      throw createError('UWAS_ERR_SERVER_BODY_LENGTH', { total, problem: 'longer' })
    if (sent + chunk.byteLength === total) exchange.onEnding?.()
    await sendPart(exchange, chunk, sent, total)
    if (exchange.aborted) return
    sent += chunk.byteLength
    exchange.bodyBytes = sent
    if (sent === total) return exchange.done()
  }
  if (!exchange.aborted)
    throw createError('UWAS_ERR_SERVER_BODY_LENGTH', { total, problem: 'shorter' })
}

/** Hands one part of a sized body to the kernel, waiting for the reader as often as it takes. */
async function sendPart(
  exchange: Exchange,
  part: Uint8Array,
  before: number,
  total: number,
): Promise<void> {
  const { res } = exchange
  while (!exchange.aborted) {
    const rest = part.subarray(res.getWriteOffset() - before)
    if (rest.byteLength === 0) return
    let ok = true
    let done = false
    res.cork(() => {
      ;[ok, done] = res.tryEnd(rest, total)
    })
    if (ok || done) return
    await writable(exchange, mayRetry(total - res.getWriteOffset()))
  }
}

/**
 * Whether so many last bytes may be tried again while the kernel has not asked for them: of fewer the engine would keep what
 * the kernel refuses, and cut the connection 10 seconds later, since it takes the reply for done.
 */
export function mayRetry(restBytes: number): boolean {
  return restBytes > MAX_COPIED_BYTES
}

/** Resolves when the kernel takes bytes again, or when the client has gone; where it `retries` each second, too. */
export function writable(exchange: Exchange, retries: boolean): Promise<void> {
  return new Promise((resolve) => {
    exchange.wake = resolve
    exchange.watchWritable(resolve, retries)
  })
}

function bytesOf(body: string | Uint8Array | ArrayBuffer): number {
  return typeof body === 'string' ? Buffer.byteLength(body) : body.byteLength
}

function lengthOf(reply: Reply): number | null {
  const { body } = reply
  if (body === null) return 0
  if (typeof body === 'string') return Buffer.byteLength(body)
  return body instanceof Uint8Array ? body.byteLength : reply.length
}

/** Lets go of a body that is not sent; one that cannot even be begun is nobody's loss. */
function discard(body: ReplyBody): void {
  if (body === null || typeof body === 'string' || body instanceof Uint8Array) return
  try {
    Promise.resolve(body[Symbol.asyncIterator]().return?.()).catch(() => {})
  } catch {}
}

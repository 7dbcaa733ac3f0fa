/**
 * Writes what `files/` has prepared: whole contents, parts of them, and files that are read while they
 * are sent. Called by the native lane, and through it by the strict lane.
 */
import type { OpenFile, Prepared, Segment } from '../files/entry.ts'
import { type ByteSource, joinSegments, memorySource, SegmentedBody } from '../files/segments.ts'
import { WINDOW_BYTES, windowsInUse } from '../files/windows.ts'
import type { Exchange } from './exchange.ts'
import {
  announceClose,
  endWithout,
  MAX_COPIED_BYTES,
  mayRetry,
  writable,
  writeWhole,
} from './native-writer.ts'

/** What the lane does with a reply that does not end at once, or cannot be. */
export interface FileHost {
  /** The exchange goes on after this call. */
  begin(exchange: Exchange): void
  /** Nothing has been sent yet, and the file cannot be: an error reply. `opening`: what would have opened it. */
  fail(exchange: Exchange, error: unknown, opening?: OpenFile): void
  /** Something has been sent; the connection is cut. */
  logCut(error: unknown): void
}

/** Several ranges up to here leave as one copy. */
const MAX_JOINED_BYTES = 64 * 1024
/** A quarter of the pool, so that slow clients that keep one never leave the others without. */
const MAX_KEPT_WINDOWS = 8
/** Shortest read for a client that takes little at a time: more than the engine keeps by itself. */
const MIN_READ_BYTES = 2 * MAX_COPIED_BYTES

/** Small enough, in memory and whole: one call sends it, and nothing is left for later. */
export function isOneSend({ content, length, segments }: Prepared): boolean {
  return (
    content !== null && content.bytes !== null && length <= MAX_COPIED_BYTES && segments === null
  )
}

/** Call it inside the handler or inside `cork`. Contents that are not in memory, and files, are sent later. */
export function writePrepared(exchange: Exchange, prepared: Prepared, host: FileHost): void {
  const { res } = exchange
  const { status, head, content, open, segments, length } = prepared
  if (status === 304 || exchange.isHead) {
    exchange.status = status
    res.writeStatus(head)
    endWithout(exchange, status === 304 ? null : length)
  } else if (content !== null) {
    const bytes = content.take()
    if (bytes !== null) writeStored(exchange, prepared, bytes, host)
    else loadStored(exchange, prepared, content.fetch(), host)
  } else if (open !== null) {
    streamFile(exchange, prepared, open, host)
  } else {
    host.begin(exchange)
    exchange.status = status
    res.writeStatus(head)
    writeWhole(exchange, segments?.[0]?.bytes ?? '')
  }
}

function writeStored(
  exchange: Exchange,
  prepared: Prepared,
  bytes: ArrayBuffer,
  host: FileHost,
): void {
  const { head, segments, length } = prepared
  host.begin(exchange)
  if (segments !== null && segments.length > 1 && length > MAX_JOINED_BYTES) {
    sendLater(exchange, prepared, segments, memorySource(bytes), host)
    return
  }
  exchange.status = prepared.status
  exchange.res.writeStatus(head)
  const [only] = segments ?? []
  if (segments === null) writeWhole(exchange, bytes)
  else if (segments.length > 1 || only === undefined) {
    writeWhole(exchange, joinSegments(segments, bytes))
  } else {
    writeWhole(exchange, new Uint8Array(bytes, only.start, only.end - only.start))
  }
}

/** The bytes were let go of to save memory: the answer waits for them. */
function loadStored(
  exchange: Exchange,
  prepared: Prepared,
  loading: Promise<ArrayBuffer>,
  host: FileHost,
): void {
  host.begin(exchange)
  exchange.watch()
  loading.then(
    (bytes) => {
      if (!exchange.aborted) {
        exchange.res.cork(() => writeStored(exchange, prepared, bytes, host))
      }
    },
    (error) => {
      if (!exchange.aborted) exchange.res.cork(() => host.fail(exchange, error))
    },
  )
}

function streamFile(exchange: Exchange, prepared: Prepared, open: OpenFile, host: FileHost): void {
  const segments = prepared.segments ?? [{ bytes: null, start: 0, end: prepared.length }]
  let source: ByteSource
  try {
    source = open()
  } catch (error) {
    host.fail(exchange, error, open)
    return
  }
  host.begin(exchange)
  sendLater(exchange, prepared, segments, source, host)
}

function sendLater(
  exchange: Exchange,
  prepared: Prepared,
  segments: readonly Segment[],
  source: ByteSource,
  host: FileHost,
): void {
  const body = new SegmentedBody(segments, source)
  exchange.onAbort = () => body.close()
  exchange.onError = (error) => host.logCut(error)
  exchange.watch()
  send(exchange, prepared, body)
    .catch((error) => exchange.cut(error))
    .finally(() => body.close())
}

/**
 * Reads where the client is and hands it on, until all is sent. While few windows are in use, what the
 * kernel did not take is kept for the moment in which it takes more; else it is read again then: slow
 * clients hold no memory, however many they are.
 */
async function send(exchange: Exchange, prepared: Prepared, body: SegmentedBody): Promise<void> {
  const { res } = exchange
  let sent = 0
  let readBytes = WINDOW_BYTES
  let part: Uint8Array | null = null
  let writeHead: (() => void) | null = () => {
    exchange.status = prepared.status
    res.writeStatus(prepared.head)
    if (exchange.close) announceClose(exchange)
  }
  while (!exchange.aborted) {
    part ??= await readPart(exchange, body, sent, lengthOfRead(readBytes, prepared.length - sent))
    if (part === null || exchange.aborted) return
    const [ok, done] = tryPart(exchange, part, prepared.length, writeHead)
    writeHead = null
    if (done) exchange.bodyBytes = prepared.length
    if (done) return exchange.done()
    if (exchange.aborted) return
    const taken = res.getWriteOffset() - sent
    sent += taken
    exchange.bodyBytes = sent
    readBytes = ok ? WINDOW_BYTES : Math.min(WINDOW_BYTES, Math.max(MIN_READ_BYTES, 2 * taken))
    part =
      taken < part.byteLength && windowsInUse() <= MAX_KEPT_WINDOWS ? part.subarray(taken) : null
    if (part === null) body.release()
    if (!ok) await writable(exchange, mayRetry(prepared.length - sent))
  }
}

/** The last part is never so short that the engine would keep of it what the kernel refuses. */
function lengthOfRead(wantedBytes: number, restBytes: number): number {
  const leavesTail = restBytes > wantedBytes && !mayRetry(restBytes - wantedBytes)
  return leavesTail ? wantedBytes - MAX_COPIED_BYTES : wantedBytes
}

async function readPart(
  { res }: Exchange,
  body: SegmentedBody,
  offset: number,
  maxBytes: number,
): Promise<Uint8Array | null> {
  const window = await body.read(offset, maxBytes)
  // Node keeps what it is given until it is sent; the engine does not.
  return window !== null && res.keepsChunks === true ? Uint8Array.from(window) : window
}

function tryPart(
  { res }: Exchange,
  part: Uint8Array,
  total: number,
  writeHead: (() => void) | null,
): [ok: boolean, done: boolean] {
  let result: [ok: boolean, done: boolean] = [false, false]
  res.cork(() => {
    writeHead?.()
    result = res.tryEnd(part, total)
  })
  return result
}

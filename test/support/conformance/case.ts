/**
 * What a conformance case is, and how one is tried: its bytes go out, a canary request behind them, and
 * what comes back is put into a few words that stand in CONFORMANCE.md.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { dial, parseResponses } from '../raw.ts'

export interface Case {
  /** RFC and section: `9112 §6.1`. */
  readonly clause: string
  /** What is sent, in words. Unique. */
  readonly name: string
  readonly request: string
  /** What comes of it through the gate, as the first request of a connection. */
  readonly first: Outcome
  /** As a later request of the strict lane. Default: as `first`. */
  readonly strict?: Outcome
  /**
   * Why it is not what the clause asks for, or why a later request of a connection that the engine
   * serves is answered in another way: not refused, or not served.
   */
  readonly exception?: string
}

/**
 * Statuses of the answers in order, with that of the canary; `closed` when the server then ends the
 * connection, `silent` when it says nothing more and waits.
 */
export type Outcome = string

/** Stands behind every request; its answer shows that nothing before it has left bytes behind. */
export const CANARY = 'GET /canary HTTP/1.1\r\nHost: x\r\n\r\n'
/** Inside of what should be content, or nothing: a view that sees it has been deceived. */
export const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n'
/** Before a request that is to be a later one. */
export const OPENING = 'GET /opening HTTP/1.1\r\nHost: x\r\n\r\n'

/** No answer for so long, in milliseconds, is none: where none is expected, and where one is. */
const SILENCE_MS = 700
const PATIENCE_MS = 10_000

/** True when nothing was served. */
export function isRefused(outcome: Outcome): boolean {
  return !/\b2\d\d\b/.test(outcome)
}

export interface TryOptions {
  /** Sent, and its answer awaited, on the same connection first. */
  readonly opening?: string
  /** Bytes of the request that are sent alone at first. Default: all in one. */
  readonly cut?: number
  /** What shall come of it. Default: anything. */
  readonly expected?: Outcome
}

/** Tries `request` on a view that answers with the path; waits for the canary's answer, the end, or silence. */
export async function outcomeOf(
  port: number,
  request: string,
  { opening, cut, expected = 'silent' }: TryOptions = {},
): Promise<Outcome> {
  const connection = await open(port)
  if (opening !== undefined) {
    connection.send(opening)
    await connection.settle('/opening')
    connection.forget()
  }
  const bytes = Buffer.from(request + CANARY, 'latin1')
  if (cut !== undefined) {
    connection.send(bytes.subarray(0, cut))
    await sleep(2)
  }
  connection.send(bytes.subarray(cut ?? 0))
  const patienceMs = expected.includes('silent') ? SILENCE_MS : PATIENCE_MS
  const end = await connection.settle('/canary', patienceMs)
  connection.close()
  const methods = [request.slice(0, request.indexOf(' '))]
  const statuses = statusesOf(connection.received(), methods, end === 'closed')
  return [...statuses, ...(end === 'done' ? [] : [end])].join(' ')
}

type End = 'done' | 'closed' | 'silent'

async function open(port: number) {
  const socket = await dial(port)
  let received = Buffer.alloc(0)
  let closed = false
  let wake = (): void => {}
  const gone = (): void => {
    closed = true
    wake()
  }
  socket.on('data', (chunk) => {
    received = Buffer.concat([received, chunk])
    wake()
  })
  socket.on('error', gone).on('close', gone)
  return {
    send: (bytes: string | Buffer): void => void socket.write(bytes),
    received: () => received,
    forget(): void {
      received = Buffer.alloc(0)
    },
    close: () => void socket.destroy(),
    /** Until `answer` has come, the server has closed, or nothing has come for a while. */
    async settle(answer: string, patienceMs = PATIENCE_MS): Promise<End> {
      for (;;) {
        if (closed) return 'closed'
        if (received.includes(answer)) return 'done'
        const before = received.length
        const waiting = new AbortController()
        await Promise.race([
          new Promise<void>((resolve) => {
            wake = resolve
          }),
          sleep(patienceMs, undefined, { signal: waiting.signal }).catch(() => {}),
        ])
        waiting.abort()
        if (!closed && received.length === before) return 'silent'
      }
    },
  }
}

/** Statuses without those of 100 Continue, which announce others. */
function statusesOf(bytes: Buffer, methods: readonly string[], closed: boolean): number[] {
  const text = bytes.toString('latin1').replaceAll('HTTP/1.1 100 Continue\r\n\r\n', '')
  return parseResponses(Buffer.from(text, 'latin1'), methods, closed).map(({ status }) => status)
}

/**
 * The browser's end of live reload. Gets the news of the development server (reload, new styles, a
 * problem) and carries it to every open page over server-sent events; leaves each HTML reply with the
 * script that listens. Called by `commands/dev.ts`, wrapped around the site's own middleware.
 */
import { Reply, stream, text } from '../../http/reply.ts'
import type { Middleware } from '../../http/view.ts'
import { cspNonce } from '../../was/csp.ts'
import { DEBUG_STYLES, DEBUG_STYLES_PATH } from './debug-page.ts'
import { LIVE_SCRIPT } from './live-script.ts'
import { isOwnHost } from './own-host.ts'

/** Everything of development lives below this path, which no site would choose. */
const EVENTS_PATH = '/__uwas/live'
const SCRIPT_PATH = '/__uwas/live.js'
const SCRIPT_TAG = `<script src="${SCRIPT_PATH}" defer></script>`

/** Shorter than the engine's idle time-out of 10 s. */
const HEARTBEAT_MS = 5000

export interface Live {
  /** Outermost: answers development's own paths, adds the script to pages. */
  readonly middleware: Middleware
  /** All pages load again. */
  reload(): void
  /** All pages fetch their style sheets again, nothing else. */
  restyle(): void
  /** All pages, and those that are opened later, show `message` until the next `reload`. */
  fail(message: string): void
  /** Ends all streams, so that a stopping server need not wait for them. */
  close(): void
}

type Listener = (event: string | null) => void

/** `host` is the address to listen on. */
export function createLive(host: string): Live {
  const listeners = new Set<Listener>()
  const hello = eventOf('hello', crypto.randomUUID())
  let problem: string | undefined
  const tell = (event: string | null): void => {
    for (const listener of listeners) listener(event)
  }
  const routes = new Map<string, () => Reply>([
    [EVENTS_PATH, () => eventStream(listeners, problem === undefined ? hello : hello + problem)],
    [SCRIPT_PATH, () => asset(LIVE_SCRIPT, 'text/javascript; charset=utf-8')],
    [DEBUG_STYLES_PATH, () => asset(DEBUG_STYLES, 'text/css; charset=utf-8')],
  ])
  return {
    async middleware(req, next) {
      const own = req.method === 'GET' ? routes.get(req.path) : undefined
      if (own === undefined) {
        const reply = await next()
        return withScript(reply, req.hasRead('nonce') ? cspNonce(req) : '')
      }
      return isOwnHost(req.header('host'), host) ? own() : strangersReply()
    },
    reload() {
      problem = undefined
      tell(eventOf('reload', ''))
    },
    restyle: () => tell(eventOf('restyle', '')),
    fail(message) {
      problem = eventOf('problem', message)
      tell(problem)
    },
    close: () => tell(null),
  }
}

/** Development's own paths show source code. */
function strangersReply(): Reply {
  const words = 'uwas dev answers this to localhost, or to the address given with --host\n'
  return text(words, { status: 403 })
}

function asset(body: string, type: string): Reply {
  const reply = text(body, { headers: { 'Cache-Control': 'no-store' } })
  return copyOf(reply, type, body)
}

/** One event of the stream's format (WHATWG HTML, section 9.2). */
function eventOf(name: string, data: string): string {
  const lines = data.split(/\r\n|\r|\n/).map((line) => `data: ${line}\n`)
  return `event: ${name}\n${lines.join('')}\n`
}

function eventStream(listeners: Set<Listener>, first: string): Reply {
  return stream(eventsFor(listeners, first), 'text/event-stream', {
    headers: { 'Cache-Control': 'no-store' },
  })
}

/** Yields `first`, then what is told, and a comment now and then, until the server closes or the page goes. */
async function* eventsFor(listeners: Set<Listener>, first: string): AsyncGenerator<string> {
  const queue: (string | null)[] = [first]
  let wake = (): void => {}
  const listener: Listener = (event) => {
    queue.push(event)
    wake()
  }
  const heartbeat = setInterval(() => listener(':\n\n'), HEARTBEAT_MS)
  listeners.add(listener)
  try {
    for (;;) {
      const event = queue.shift()
      if (event === null) return
      if (event !== undefined) yield event
      else
        await new Promise<void>((resolve) => {
          wake = resolve
        })
    }
  } finally {
    clearInterval(heartbeat)
    listeners.delete(listener)
  }
}

/** Pages with a text body get the script; streams and everything else pass as they are. */
function withScript(reply: Reply, nonce: string): Reply {
  const { type, body } = reply
  if (type === null || !/^text\/html\b/i.test(type) || typeof body !== 'string') return reply
  const end = body.lastIndexOf('</body>')
  const at = end === -1 ? body.length : end
  const tag = nonce === '' ? SCRIPT_TAG : SCRIPT_TAG.replace('<script', `<script nonce="${nonce}"`)
  return copyOf(reply, type, body.slice(0, at) + tag + body.slice(at))
}

function copyOf(reply: Reply, type: string, body: string): Reply {
  const copy = new Reply(reply.status, type, body)
  copy.compress = reply.compress
  for (const [name, value] of reply.headers ?? []) copy.append(name, value)
  return copy
}

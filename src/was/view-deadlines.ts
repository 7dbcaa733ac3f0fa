/**
 * Ends the wait for views that take too long: the client gets 503, the request's signal fires, and what the
 * view returns later is let go of. Asked by the dispatcher for views that did not answer at once.
 */
import { createError } from '../core/errors.ts'
import { Reply } from '../http/reply.ts'
import type { Request } from '../http/request.ts'
import type { ErrorPages } from './error-pages.ts'

type Handler = (req: Request) => Reply | Promise<Reply>

interface Waiting {
  readonly req: Request
  readonly endsAt: number
  readonly limitMs: number
  readonly end: (reply: Reply) => void
}

/** How late an answer may be; a timer for each request would cost more. */
const LOOK_MS = 50

export class ViewDeadlines {
  readonly #errorPages: ErrorPages
  readonly #waiting: Set<Waiting>
  #timer: NodeJS.Timeout | null

  constructor(errorPages: ErrorPages) {
    this.#errorPages = errorPages
    this.#waiting = new Set()
    this.#timer = null
  }

  /** Middleware's time counts as well. A reply that is there at once costs nothing. */
  around(inner: Handler, limitMs: number): Handler {
    if (limitMs === 0) return inner
    return (req) => {
      const result = inner(req)
      return result instanceof Reply ? result : this.#limit(req, result, limitMs)
    }
  }

  /** `result`, or the 503 page when `limitMs` have passed before it is there. */
  #limit(req: Request, result: Promise<Reply>, limitMs: number): Promise<Reply> {
    return new Promise((resolve, reject) => {
      req.endsAt = performance.now() + limitMs
      const waiting = { req, endsAt: req.endsAt, limitMs, end: resolve }
      this.#waiting.add(waiting)
      this.#timer ??= setInterval(() => this.#look(), LOOK_MS).unref()
      result.then(
        (reply) => {
          if (this.#waiting.delete(waiting)) resolve(reply)
          else discard(reply)
        },
        (error: unknown) => {
          this.#waiting.delete(waiting)
          reject(error)
        },
      )
    })
  }

  #look(): void {
    const now = performance.now()
    for (const waiting of this.#waiting) {
      if (now < waiting.endsAt) continue
      this.#waiting.delete(waiting)
      const { req, limitMs, end } = waiting
      const error = createError('UWAS_ERR_WAS_VIEW_TIMEOUT', { ms: limitMs })
      end(this.#errorPages(req, Object.assign(error, { headers: [['Retry-After', '1']] })))
      req.markAborted(error)
    }
    if (this.#waiting.size > 0 || this.#timer === null) return
    clearInterval(this.#timer)
    this.#timer = null
  }
}

/** The client has its 503 already: a stream that comes now has nobody to go to. */
function discard({ body }: Reply): void {
  if (body === null || typeof body !== 'object' || !(Symbol.asyncIterator in body)) return
  Promise.resolve(body[Symbol.asyncIterator]().return?.()).catch(() => {})
}

/** What a request gets that is refused since there is too much to do. Made by `load-shedder.ts`. */
import { HttpError } from '../../http/http-error.ts'
import type { Reply } from '../../http/reply.ts'

/** 503 with Retry-After (RFC 9110 sections 15.6.4 and 10.2.3). One stands for many requests, and the log is told of them together. */
export class Overloaded extends HttpError {
  constructor(retryAfterSeconds: number) {
    super(503, 'the server has too much to do; try again later', {
      headers: [['Retry-After', String(retryAfterSeconds)]],
    })
  }
}

const shed = new WeakSet<Reply>()

export function markShed(reply: Reply): Reply {
  shed.add(reply)
  return reply
}

/** Whether nothing of the site has run for it. */
export function isShed(reply: Reply): boolean {
  return shed.has(reply)
}

/** A view whose route has the option `atomic`: it and what it runs on its request are one transaction. */
import type { Reply } from '../http/reply.ts'
import type { Request } from '../http/request.ts'
import type { View } from '../http/view.ts'
import { type AtomicOptions, atomicRequest } from '../model/atomic.ts'
import { rememberRequest } from './attempts.ts'
import { replyOf } from './reply-of.ts'

/** Leaves the transaction, which is undone by it, with the reply of a view that has failed. */
class Undone {
  readonly reply: Reply

  constructor(reply: Reply) {
    this.reply = reply
  }
}

/**
 * Committed before the reply leaves. Rolled back when the view throws, a page of its error being the reply then, and
 * when it returns a 5xx, after which nothing is kept of its session either.
 */
export function inTransaction(view: View, options: boolean | AtomicOptions | undefined): View {
  if (options === undefined || options === false) return view
  const begin = options === true ? {} : options
  return async (req) => {
    const restore = (begin.retries ?? 0) === 0 ? null : rememberRequest(req as Request)
    const again = (): boolean => {
      // What is left of it cannot be read a second time.
      if (req.isBodyTaken) return false
      restore?.()
      return true
    }
    const run = async (): Promise<Reply> => {
      const reply = replyOf(await view(req), req.route)
      if (reply.status >= 500) throw new Undone(reply)
      return reply
    }
    try {
      return await atomicRequest(req, run, begin, again)
    } catch (error) {
      if (error instanceof Undone) return error.reply
      throw error
    }
  }
}

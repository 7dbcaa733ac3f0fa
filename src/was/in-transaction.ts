/**
 * A view whose route has the option `atomic`: it and what it runs on its request are one transaction. What that undoes is
 * taken back of its request too: a session of an account, or of an epoch of it, that was never there must not be kept.
 */
import type { Reply } from '../http/reply.ts'
import type { Request } from '../http/request.ts'
import type { View } from '../http/view.ts'
import { type AtomicOptions, atomicRequest, partOfRequest } from '../model/atomic.ts'
import { joinedBy } from '../model/escape.ts'
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
 * when it returns a 5xx: session, messages, user and `req.locals` are as they were before it then.
 */
export function inTransaction(view: View, options: boolean | AtomicOptions | undefined): View {
  if (options === undefined || options === false) return view
  const begin = options === true ? {} : options
  return async (req) => {
    const restore = rememberRequest(req as Request)
    const again = (): boolean => {
      // What is left of it cannot be read a second time.
      if (req.isBodyTaken) return false
      restore()
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
      restore()
      if (error instanceof Undone) return error.reply
      throw error
    }
  }
}

/**
 * A part of a view that may fail while the view goes on. Where its route has a transaction, all that a failed part has
 * done is undone.
 */
export async function partOfView<T>(req: Request, part: () => Promise<T>): Promise<T> {
  if (joinedBy(req) === null) return await part()
  const restore = rememberRequest(req)
  try {
    return await partOfRequest(req, part)
  } catch (error) {
    restore()
    throw error
  }
}

/**
 * With a transaction that is undone, what has been changed of session, messages, user and `req.locals` is taken back: a view
 * that runs again after a conflict, and what follows one that has failed, find their request as it was before. Called by
 * `in-transaction.ts`.
 */
import type { Request } from '../http/request.ts'
import { rememberUser } from './accounts/current-user.ts'
import { rememberFlash } from './flash.ts'
import { rememberSession } from './session/open.ts'

/** Notes how the request is; what it returns brings that back, as often as it is called. */
export function rememberRequest(req: Request): () => void {
  const all = [rememberSession(req), rememberFlash(req), rememberUser(req), rememberLocals(req)]
  return () => {
    for (const restore of all) restore()
  }
}

/** By key: what their values hold is the view's own. */
function rememberLocals({ locals }: Request): () => void {
  const before = { ...locals }
  return () => {
    for (const key of Object.keys(locals)) if (!Object.hasOwn(before, key)) delete locals[key]
    Object.assign(locals, before)
  }
}

/**
 * Fields that a request's reply gets when it is there, whoever made it: cookies, a policy with this reply's nonce.
 * What is called by a view says so here; `finish.ts` adds them.
 */
import type { Reply } from '../http/reply.ts'
import type { Request } from '../http/request.ts'
import { privateCopy } from './own-reply.ts'

/** Gets a private copy of the reply, and changes it. */
type Add = (reply: Reply) => void

const added = new WeakMap<Request, Add[]>()

/** The request has to be marked personal, too: nothing else is looked up here. */
export function addLater(req: Request, add: Add): void {
  const list = added.get(req)
  if (list === undefined) added.set(req, [add])
  else list.push(add)
}

export function withLateFields(req: Request, reply: Reply): Reply {
  const list = added.get(req)
  if (list === undefined) return reply
  const copy = privateCopy(reply)
  for (const add of list) add(copy)
  return copy
}

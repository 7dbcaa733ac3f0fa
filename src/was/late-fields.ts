/**
 * Fields that a request's reply gets when it is there, whoever made it: cookies, a policy with this reply's nonce.
 * What is called by a view says so here.
 */
import { Reply } from '../http/reply.ts'
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

/** A middleware around the site's own. */
export function addLateFields(
  req: Request,
  next: () => Reply | Promise<Reply>,
): Reply | Promise<Reply> {
  const reply = next()
  return reply instanceof Reply
    ? withLateFields(req, reply)
    : reply.then((made) => withLateFields(req, made))
}

/** For the test client. */
export function withLateFields(req: Request, reply: Reply): Reply {
  const list = req.personal === null ? undefined : added.get(req)
  if (list === undefined) return reply
  const copy = privateCopy(reply)
  for (const add of list) add(copy)
  return copy
}

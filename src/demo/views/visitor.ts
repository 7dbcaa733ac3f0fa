/**
 * Who is reading. Of a guest there are two cookies, set only by the guest's own doing: a random id that remembers
 * likes, and the name last signed with. A member has both with the account.
 */
import { type Reply, type Request, user } from 'uwas'
import { isUuid } from '../forms/submission.ts'
import { memberById } from '../models/members.ts'

const VISITOR_COOKIE = 'visitor'
const NAME_COOKIE = 'name'
const YEAR_SECONDS = 365 * 24 * 60 * 60

/** The id by which the visitor likes; undefined for a guest before the first like. */
export async function visitorOf(req: Request): Promise<string | undefined> {
  const member = await user(req)
  if (member !== undefined) {
    return (await memberById.maybe(req, { userId: member.id }))?.visitor
  }
  const id = req.cookie(VISITOR_COOKIE)
  return isUuid(id) ? id : undefined
}

export function rememberVisitor(req: Request, reply: Reply, visitor: string): Reply {
  return remember(req, reply, VISITOR_COOKIE, visitor)
}

/** The name last signed with; empty when there is none. */
export function nameOf(req: Request): string {
  return req.cookie(NAME_COOKIE) ?? ''
}

export function rememberName(req: Request, reply: Reply, name: string): Reply {
  return remember(req, reply, NAME_COOKIE, name)
}

function remember(req: Request, reply: Reply, cookie: string, value: string): Reply {
  return reply.cookie(cookie, value, { maxAgeSeconds: YEAR_SECONDS, secure: req.secure })
}

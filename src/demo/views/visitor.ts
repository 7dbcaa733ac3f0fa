/**
 * Who is reading, as far as a board without accounts knows: a random id that remembers likes, and the
 * name last signed with. Both are cookies that are set only by the visitor's own doing.
 */
import type { Reply, Request } from 'uwas'
import { isUuid } from '../forms/submission.ts'

const VISITOR_COOKIE = 'visitor'
const NAME_COOKIE = 'name'
const YEAR_SECONDS = 365 * 24 * 60 * 60

/** The visitor's id, or undefined before the first like. */
export function visitorOf(req: Request): string | undefined {
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

/** Replies that get fields for one client alone. Called by what works on replies after the view. */
import type { Reply } from '../http/reply.ts'

/** The same reply with a list of fields of its own: a view may return one object to everybody. */
export function ownCopy(reply: Reply): Reply {
  const copy = Object.assign(Object.create(Object.getPrototypeOf(reply)) as Reply, reply)
  copy.headers = reply.headers === null ? null : [...reply.headers]
  return copy
}

/** A copy that is private, whatever the view says: for a cookie, which a shared cache would keep. */
export function privateCopy(reply: Reply): Reply {
  const copy = ownCopy(reply)
  const policy = copy.headers?.find(([name]) => name.toLowerCase() === 'cache-control')?.[1]
  if (policy === undefined || !/(?:^|[\s,])(?:private|no-store)\s*(?:,|$)/i.test(policy)) {
    copy.header('Cache-Control', 'private, no-cache')
  }
  return copy
}

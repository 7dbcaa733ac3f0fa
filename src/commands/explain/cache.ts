/** What `uwas explain` says of a cached route: whether this request's page may be kept, and under which key. */
import type { Request } from '../../http/request.ts'
import { encodePath } from '../../http/target.ts'
import { Rule } from '../../pages/rule.ts'
import type { Route } from '../../route/flatten.ts'
import type { CacheFacts } from './explanation.ts'

/** Null for a route that is not cached, and for methods that are no reads. */
export function explainCache({ pattern, options }: Route, req: Request): CacheFacts | null {
  const { cached } = options
  if (cached === undefined || (req.method !== 'GET' && req.method !== 'HEAD')) return null
  const rule = new Rule(pattern, cached)
  const read = (name: string) => req.copyFields().get(name)
  const key = rule.keyOf(read('host') ?? '', encodePath(req.path), req.search, read)
  const { seconds, staleSeconds = 0, graceSeconds = 0, tags = [] } = cached
  const isBypassed = typeof key === 'string'
  return {
    seconds,
    staleSeconds,
    graceSeconds,
    tags,
    key: isBypassed ? null : [key.host + key.target, ...key.vary.split('\n').filter(Boolean)],
    bypass: isBypassed ? key : null,
    varies: rule.varyField,
  }
}

/** For people. */
export function tellCache(facts: CacheFacts): string[] {
  const { seconds, staleSeconds, graceSeconds, tags, key, bypass, varies } = facts
  if (key === null) return [`this request goes to the view, for it has ${bypass}`]
  const times = [
    `${seconds} s`,
    ...(staleSeconds > 0 ? [`${staleSeconds} s more while the next is made`] : []),
    ...(graceSeconds > 0 ? [`${graceSeconds} s more where that fails`] : []),
  ]
  return [
    `kept for ${times.join(', ')} as ${key.join(', ')}`,
    ...(varies === '' ? [] : [`varies with ${varies}`]),
    ...(tags.length === 0 ? [] : [`until one of these is invalidated: ${tags.join(', ')}`]),
    'not kept where it is made from a cookie, session, user, address or field that the key does not have, or sets a cookie: the log says which, Cache-Status whether',
  ]
}

/**
 * The last step of every dynamic reply: preflights are answered before routing, what was made from cookies is
 * marked for caches, CORS fields are added, bodies tagged and compressed. `app.ts` puts it around the dispatcher; a site that wants none of it pays nothing.
 */
import type { CorsFields } from '../http/cors.ts'
import { withVary } from '../http/headers.ts'
import { empty, Reply } from '../http/reply.ts'
import type { Request } from '../http/request.ts'
import { markPersonal } from './caching.ts'
import type { Compress } from './compress.ts'
import type { Handler } from './dispatch.ts'
import type { ErrorPages } from './error-pages.ts'
import type { Tag } from './etags.ts'
import { ownCopy } from './own-reply.ts'
import type { SiteRules } from './site-rules.ts'

/** `null` for what the site does not have. A step that fails leaves the page that `errorPages` makes of it; without, it throws. */
export function finishing(
  rules: SiteRules | null,
  compress: Compress | null,
  tag: Tag | null = null,
  errorPages: ErrorPages | null = null,
) {
  return (inner: Handler): Handler => {
    const last: Step = (req, reply) => {
      let made = markPersonal(req, reply)
      if (tag !== null) made = tag(req, made, compress?.codingOf(req, made) ?? null)
      return compress === null ? made : compress(req, made)
    }
    const compressed = after(inner, guarded(last, errorPages))
    return rules === null ? compressed : sharing(rules, compressed)
  }
}

type Step = (req: Request, reply: Reply) => Reply | Promise<Reply>

/** A view that is not type-checked can make a reply that no step expects. */
function guarded(step: Step, errorPages: ErrorPages | null): Step {
  if (errorPages === null) return step
  return (req, reply) => {
    try {
      const made = step(req, reply)
      return made instanceof Reply ? made : made.catch((error) => errorPages(req, error))
    } catch (error) {
      return errorPages(req, error)
    }
  }
}

function after(inner: Handler, step: Step): Handler {
  return (req) => {
    const result = inner(req)
    return result instanceof Reply ? step(req, result) : result.then((reply) => step(req, reply))
  }
}

function sharing(rules: SiteRules, inner: Handler): Handler {
  const add = (req: Request, reply: Reply): Reply => {
    const fields = rules.fields(req.path, req.header('origin'))
    return fields === null ? reply : addFields(reply, fields)
  }
  return (req) => answerPreflight(rules, req) ?? after(inner, add)(req)
}

/** Undefined for what is no preflight (Fetch standard, "CORS-preflight request") or meets no policy. */
function answerPreflight(rules: SiteRules, req: Request): Reply | undefined {
  if (req.method !== 'OPTIONS') return undefined
  const origin = req.header('origin')
  if (origin === undefined || req.header('access-control-request-method') === undefined) return
  const fields = rules.preflight(req.path, origin)
  return fields === null ? undefined : addFields(empty(), fields)
}

/** Whether a request is a preflight that a policy of the site answers. */
export function isPreflight(rules: SiteRules, req: Request): boolean {
  return answerPreflight(rules, req) !== undefined
}

/** A view that speaks CORS itself has the last word; Vary is a matter of both. A copy: a view may give one reply to everybody. */
function addFields(made: Reply, { list }: CorsFields): Reply {
  const reply = ownCopy(made)
  for (const [name, value] of list) {
    if (name === 'Vary') reply.headers = withVary(reply.headers ?? [], value)
    else if (!hasField(reply, name)) reply.append(name, value)
  }
  return reply
}

function hasField({ headers }: Reply, name: string): boolean {
  return headers?.some(([other]) => other.toLowerCase() === name.toLowerCase()) ?? false
}

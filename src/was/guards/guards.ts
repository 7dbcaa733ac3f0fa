/**
 * What stands before everything that a site answers, files and cached pages included: who may ask (`access`), and how
 * often (`limits.requests`). Made by `app.ts`; the lanes ask which guards a path has, and run them around its answer.
 */
import { createError } from '../../core/errors.ts'
import { HttpError } from '../../http/http-error.ts'
import { Reply } from '../../http/reply.ts'
import type { Request } from '../../http/request.ts'
import { Passwords } from '../accounts/passwords.ts'
import { RequestLimit } from '../limits/limit.ts'
import { addressGuard } from './addresses.ts'
import { BasicAuth } from './basic-auth.ts'
import { type GuardPath, guardPath } from './guard-path.ts'
import type { AccessRule, RequestLimitRule } from './options.ts'
import type { Step } from './step.ts'

type Handler = (req: Request) => Reply | Promise<Reply>

/** Runs around what answers a request: never throws or rejects. */
export type Guard = (req: Request, inner: Handler) => Reply | Promise<Reply>

export interface GuardRules {
  readonly access: readonly AccessRule[]
  readonly requests: readonly RequestLimitRule[]
}

export interface GuardParts {
  /** The reply for what a guard throws. */
  readonly refused: (req: Request, error: unknown) => Reply | Promise<Reply>
  /** Whether a request is a preflight that the site's CORS policy answers: browsers send it without a password. */
  readonly isPreflight: (req: Request) => boolean
  /** All paths by which what a path has can be had, that one among them. Decoded. */
  readonly namesOf: (path: string) => readonly string[]
}

export interface SiteGuards {
  /** Whether a path, as it was sent, may have guards. Cheap, for the way of static files. */
  touches(rawPath: string): boolean
  /** Those of a request: for the path that it names, and the one that a rewrite has made of it. Null: none. */
  of(method: string, asked: string | null, answered: string | null): Guard | null
  /** What stands before the content of `path`, too, and has not let the request through yet. Throws or rejects with a refusal. */
  before(req: Request, path: string, next: () => Reply): Reply | Promise<Reply>
  /** Whether a request may have `path`, too: behind a password only what its own is for. Nothing is counted. */
  isOpen(req: Request, path: string): boolean
}

/** Of a path that nothing has. */
const NO_NAMES: readonly string[] = []

interface Placed {
  readonly fits: GuardPath
  readonly methods: ReadonlySet<string> | null
  readonly run: Step
  /** Whether it lets a request through that it has not seen. */
  readonly admits: (req: Request) => boolean
}

/** Null for a site without any. Throws UWAS_ERR_WAS_GUARD, UWAS_ERR_CORE_INVALID_OPTION. */
export function createGuards(rules: GuardRules, parts: GuardParts): SiteGuards | null {
  const all = placeAll(rules, parts)
  if (all.length === 0) return null
  const { namesOf } = parts
  const isForAll = all.some(({ fits }) => fits(NO_NAMES))
  const made = new Map<string, Guard>()
  const passed = new WeakMap<Request, readonly Placed[]>()
  const fitting = (method: string, names: readonly string[]): Placed[] =>
    all.filter(({ fits, methods }) => (methods === null || methods.has(method)) && fits(names))
  return {
    touches(rawPath) {
      if (isForAll || rawPath.includes('%')) return true
      const names = namesOf(rawPath)
      return all.some(({ fits }) => fits(names))
    },
    of(method, asked, answered) {
      const names = asked === null ? NO_NAMES : namesOf(asked)
      const others = answered === null || answered === asked ? NO_NAMES : namesOf(answered)
      const which = fitting(method, [...names, ...others])
      if (which.length === 0) return null
      // Few combinations, however many paths there are.
      const key = which.map((one) => all.indexOf(one)).join()
      let guard = made.get(key)
      if (guard === undefined) {
        const around = guardOf(which, parts.refused)
        guard = (req, inner) => {
          passed.set(req, which)
          return around(req, inner)
        }
        made.set(key, guard)
      }
      return guard
    },
    before(req, path, next) {
      const before = passed.get(req) ?? []
      const which = fitting(req.method, namesOf(path)).filter((one) => !before.includes(one))
      return runAll(which, req, next)
    },
    isOpen(req, path) {
      const before = passed.get(req) ?? []
      const which = fitting(req.method, namesOf(path)).filter((one) => !before.includes(one))
      return which.every(({ admits }) => admits(req))
    },
  }
}

/** Clients first, then how often, then passwords, and last how often those who have one may ask. */
function placeAll({ access, requests }: GuardRules, parts: GuardParts): Placed[] {
  const passwords = new Passwords()
  const rules = access.map((rule, i) => {
    const where = `access[${i}]`
    checkRule(where, rule)
    return { where, rule, fits: guardPath(where, rule.path), methods: null }
  })
  const limits = requests.map(({ path, methods, ...options }, i) => {
    const where = `limits.requests[${i}]`
    const limit = new RequestLimit(where, { name: `requests-${i}`, ...options })
    const run: Step = (req, next) => limit.around(req, next)
    const place = { fits: guardPath(where, path), methods: methods ? new Set(methods) : null }
    return { ...place, run, admits: () => true, isForUsers: options.key === 'user' }
  })
  return [
    ...rules.flatMap(({ where, rule, ...place }) => {
      const admits = addressGuard(where, rule)
      if (admits === null) return []
      const run: Step = (req, next) => {
        if (admits(req)) return next()
        throw new HttpError(403)
      }
      return [{ ...place, run, admits }]
    }),
    ...limits.filter(({ isForUsers }) => !isForUsers),
    ...rules.flatMap(({ rule, ...place }) => {
      if (rule.basicAuth === undefined) return []
      const auth = new BasicAuth(rule.basicAuth, passwords)
      const run: Step = (req, next) => (parts.isPreflight(req) ? next() : auth.around(req, next))
      return [{ ...place, run, admits: () => false }]
    }),
    ...limits.filter(({ isForUsers }) => isForUsers),
  ]
}

function checkRule(where: string, { allow, deny, basicAuth }: AccessRule): void {
  const refuse = (problem: string): never => {
    throw createError('UWAS_ERR_WAS_GUARD', { where, problem })
  }
  if (allow === undefined && deny === undefined && basicAuth === undefined) {
    refuse('it lets everybody in; give it "allow", "deny" or "basicAuth"')
  }
  const both = allow?.find((network) => deny?.includes(network))
  if (both !== undefined) refuse(`${JSON.stringify(both)} is in "allow" and in "deny"`)
  if (basicAuth !== undefined && Object.keys(basicAuth.users).length === 0) {
    refuse('basicAuth has no users, so nobody could ever get in; name one, or say deny')
  }
}

/** One around the other, the first outermost. */
function runAll(
  all: readonly Placed[],
  req: Request,
  inner: () => Reply | Promise<Reply>,
): Reply | Promise<Reply> {
  const runFrom = (i: number): Reply | Promise<Reply> => {
    const one = all[i]
    return one === undefined ? inner() : one.run(req, () => runFrom(i + 1))
  }
  return runFrom(0)
}

function guardOf(all: readonly Placed[], refused: GuardParts['refused']): Guard {
  return (req, inner) => {
    try {
      const result = runAll(all, req, () => inner(req))
      return result instanceof Reply ? result : result.catch((error) => refused(req, error))
    } catch (error) {
      return refused(req, error)
    }
  }
}

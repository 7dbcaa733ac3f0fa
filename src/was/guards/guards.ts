/**
 * What stands before everything that a site answers, files and cached pages included: who may ask (`access`), and how
 * often (`limits.requests`). Made by `app.ts`; the lanes ask which guards a path has, and run them around its answer.
 */
import { createError } from '../../core/errors.ts'
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
}

export interface SiteGuards {
  /** Whether a path, as it was sent, may have guards. Cheap, for the way of static files. */
  touches(rawPath: string): boolean
  /** Those of a request: for the path that it names, and the one that a rewrite has made of it. Null: none. */
  of(method: string, asked: string | null, answered: string | null): Guard | null
}

interface Placed {
  readonly fits: GuardPath
  readonly methods: ReadonlySet<string> | null
  readonly run: Step
}

/** Null for a site without any. Throws UWAS_ERR_WAS_GUARD, UWAS_ERR_CORE_INVALID_OPTION. */
export function createGuards(rules: GuardRules, parts: GuardParts): SiteGuards | null {
  const all = placeAll(rules, parts)
  if (all.length === 0) return null
  const isForAll = all.some(({ fits }) => fits(null))
  const made = new Map<string, Guard>()
  return {
    touches: (rawPath) =>
      isForAll || rawPath.includes('%') || all.some(({ fits }) => fits(rawPath)),
    of(method, asked, answered) {
      const isOne = ({ fits, methods }: Placed): boolean =>
        (methods === null || methods.has(method)) && (fits(asked) || fits(answered))
      const which = all.map(isOne)
      if (!which.includes(true)) return null
      // Few combinations, however many paths there are.
      const key = which.map(Number).join('')
      let guard = made.get(key)
      if (guard === undefined) {
        guard = guardOf(
          all.filter((_, i) => which[i]).map(({ run }) => run),
          parts.refused,
        )
        made.set(key, guard)
      }
      return guard
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
    const place = { fits: guardPath(where, path), methods: methods ? new Set(methods) : null, run }
    return { ...place, isForUsers: options.key === 'user' }
  })
  return [
    ...rules.flatMap(({ where, rule, ...place }) => {
      const run = addressGuard(where, rule)
      return run === null ? [] : [{ ...place, run }]
    }),
    ...limits.filter(({ isForUsers }) => !isForUsers),
    ...rules.flatMap(({ rule, ...place }) => {
      if (rule.basicAuth === undefined) return []
      const auth = new BasicAuth(rule.basicAuth, passwords)
      const run: Step = (req, next) => (parts.isPreflight(req) ? next() : auth.around(req, next))
      return [{ ...place, run }]
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

function guardOf(steps: readonly Step[], refused: GuardParts['refused']): Guard {
  return (req, inner) => {
    const run = (i: number): Reply | Promise<Reply> => {
      const step = steps[i]
      return step === undefined ? inner(req) : step(req, () => run(i + 1))
    }
    try {
      const result = run(0)
      return result instanceof Reply ? result : result.catch((error) => refused(req, error))
    } catch (error) {
      return refused(req, error)
    }
  }
}

/**
 * Answers whether a site lives and whether it can work: for load balancers and supervisors, where no file and no route
 * of the site has the path. Outside of all middleware. Made by `app.ts`, called by the dispatcher.
 */
import type { Log } from '../../core/log.ts'
import type { Services } from '../../core/services.ts'
import { DRAINING } from '../../http/events.ts'
import { empty, json, type Reply } from '../../http/reply.ts'
import type { Request } from '../../http/request.ts'
import { DATABASE } from '../../model/database.ts'
import type { Readiness } from '../../observe/status/listener.ts'
import { BoundedCheck } from './check.ts'
import { databaseAnswers, migrationsAreCurrent } from './database.ts'
import { LEAVING } from './leaving.ts'
import type { HealthCheck, SiteHealth } from './options.ts'

export interface HealthParts {
  readonly services: Services
  /** Names of the site's migrations; null when it has none. */
  readonly migrations: readonly string[] | null
  /** Why the site's database cannot be used yet; null when it can. */
  readonly preparation: { readonly problem: Error | null } | null
  readonly log: Log
}

/** The reply for one of the two paths; undefined for any other. */
export type HealthReplies = (req: Request) => Reply | Promise<Reply> | undefined

export const HEALTH_METHODS = 'GET, HEAD, OPTIONS'

export function createHealth(
  { alivePath, readyPath }: SiteHealth,
  readiness: () => Readiness | Promise<Readiness>,
): HealthReplies {
  return (req) => {
    if (req.path !== alivePath && req.path !== readyPath) return undefined
    const headers = { Allow: HEALTH_METHODS }
    if (req.method === 'OPTIONS') return empty({ headers })
    if (req.method !== 'GET' && req.method !== 'HEAD') return empty({ status: 405, headers })
    if (req.path === alivePath) return tell(200, { status: 'alive' })
    const ready = readiness()
    return ready instanceof Promise ? ready.then(tellReadiness) : tellReadiness(ready)
  }
}

/** Whether the site can do its work; who ask at the same time wait for the same checks. */
export function createReadiness(
  health: SiteHealth,
  parts: HealthParts,
): () => Readiness | Promise<Readiness> {
  const { timeoutMs } = health
  const { services, log } = parts
  const checks = Object.entries(checksOf(health, parts)).map(
    ([name, check]) => new BoundedCheck(name, { check, timeoutMs, services, log }),
  )
  return () => {
    const isEnding = services.find(LEAVING) === true || services.find(DRAINING)?.aborted === true
    if (isEnding) return { status: 'draining', checks: {} }
    return checks.length === 0 ? { status: 'ready', checks: {} } : runAll(checks)
  }
}

function checksOf(
  { checks }: SiteHealth,
  { services, migrations, preparation }: HealthParts,
): Record<string, HealthCheck> {
  if (services.find(DATABASE) === undefined) return { ...checks }
  const database: HealthCheck = (context) => {
    if (preparation !== null && preparation.problem !== null) throw preparation.problem
    return databaseAnswers(context)
  }
  if (migrations === null) return { database, ...checks }
  return { database, migrations: migrationsAreCurrent(migrations), ...checks }
}

async function runAll(checks: readonly BoundedCheck[]): Promise<Readiness> {
  const results = await Promise.all(checks.map((check) => check.run()))
  const words = checks.map(({ name }, i) => [name, results[i] === true ? 'ok' : 'failed'] as const)
  return {
    status: results.every(Boolean) ? 'ready' : 'unready',
    checks: Object.fromEntries(words),
  }
}

/** Strangers may ask too, so it says no more than which. */
function tellReadiness({ status, checks }: Readiness): Reply {
  if (status === 'draining') return tell(503, { status })
  return tell(status === 'ready' ? 200 : 503, { status, checks })
}

function tell(status: number, body: unknown): Reply {
  return json(body, { status, headers: { 'Cache-Control': 'no-store' } })
}

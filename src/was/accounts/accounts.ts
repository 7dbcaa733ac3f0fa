/**
 * What a site's accounts are made of, from its configuration: groups and what they may, the cost of passwords,
 * how often one may try. Made by `own-services.ts`, read by the rest of this folder.
 */
import { createError } from '../../core/errors.ts'
import { hintNearest } from '../../core/nearest.ts'
import { RateLimiter } from '../../core/rate-limiter.ts'
import type { ServiceKey, Services } from '../../core/services.ts'
import type { Trace } from '../../core/trace.ts'
import { DATABASE } from '../../model/database.ts'
import { joinedBy } from '../../model/escape.ts'
import { Outside } from '../../model/outside.ts'
import type { Runner } from '../../model/statement.ts'
import { Passwords } from './passwords.ts'
import type { User } from './user.ts'

/** `AccountOptions` of the configuration, complete. */
export interface SiteAccounts {
  readonly groups: Readonly<Record<string, readonly string[]>>
  readonly logInPath: string | null
  readonly passwords: ConstructorParameters<typeof Passwords>[0]
  readonly maxLogInsPerAddress: number
  readonly maxLogInsPerAccount: number
  readonly maxSignUpsPerAddress: number
}

/** The time of the limits above. */
export const ATTEMPTS_SECONDS = 15 * 60

/** The site's accounts in `req.services`. */
export const ACCOUNTS: ServiceKey<Accounts> = {
  name: 'accounts',
  hint: 'set `accounts: {}` in uwas.config.ts',
}

/** The site's accounts, as a service. */
export class Accounts {
  readonly logInPath: string | null
  readonly passwords: Passwords
  /** Attempts by the client's network, attempts for a name, new accounts by network. */
  readonly byAddress: RateLimiter
  readonly byName: RateLimiter
  readonly signUps: RateLimiter
  readonly #groups: ReadonlyMap<string, readonly string[]>

  constructor(options: SiteAccounts) {
    this.logInPath = options.logInPath
    this.passwords = new Passwords(options.passwords)
    this.byAddress = attempts('log-ins by address', options.maxLogInsPerAddress)
    this.byName = attempts('log-ins by name', options.maxLogInsPerAccount)
    this.signUps = attempts('sign-ups', options.maxSignUpsPerAddress)
    this.#groups = new Map(Object.entries(options.groups))
  }

  /** A group that the configuration does not name any more grants nothing. */
  userOf(
    row: { readonly id: number; readonly name: string; readonly groups: readonly string[] },
    scopes: readonly string[] | null = null,
  ): User {
    const permissions = new Set(row.groups.flatMap((group) => this.#groups.get(group) ?? []))
    return Object.freeze({ id: row.id, name: row.name, groups: row.groups, permissions, scopes })
  }

  /** Throws UWAS_ERR_WAS_GROUP for a group that the configuration does not name. */
  checkGroup(group: string): string {
    if (this.#groups.has(group)) return group
    const hint = hintNearest(group, this.#groups.keys())
    throw createError('UWAS_ERR_WAS_GROUP', { group: JSON.stringify(group), hint })
  }
}

/** Whoever has the site's services and, for timings, a trace: a request. */
export interface AccountsOn {
  readonly services: Services
  readonly trace?: Trace | null
}

/** Outside of any transaction that is open around: who somebody is, and what they may, does not depend on it. */
export function ownRunner({ services, trace = null }: AccountsOn): Runner {
  return new Outside(services.get(DATABASE), trace)
}

/** What is only read: in the transaction of the request's route, whose new accounts it has to see, else outside. */
export function readRunner(on: AccountsOn): Runner {
  return joinedBy(on) ?? ownRunner(on)
}

/**
 * What changes an account: in the transaction of the request's route, to be undone with it. Inside of an `atomic` of
 * the view's own it would stay when that is undone: UWAS_ERR_MODEL_ESCAPED, as of every statement on the request.
 */
export function changeRunner(on: AccountsOn): Runner {
  const { services, trace = null } = on
  const db = services.get(DATABASE)
  return joinedBy(on) ?? { trace, submit: (query) => db.submit(query) }
}

function attempts(name: string, most: number): RateLimiter {
  const intervalMs = (ATTEMPTS_SECONDS * 1000) / most
  return new RateLimiter(`accounts: ${name}`, { intervalMs, burst: most })
}

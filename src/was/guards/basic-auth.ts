/**
 * Names and passwords by HTTP itself (RFC 7617): hashes are checked off the event loop, a few at a time, failures are
 * counted by client, and what was right is remembered for a while, as a keyed digest. Called by `guards.ts`.
 */
import { createHmac, randomBytes } from 'node:crypto'
import { RateLimiter } from '../../core/rate-limiter.ts'
import { HttpError } from '../../http/http-error.ts'
import type { Reply } from '../../http/reply.ts'
import type { Request } from '../../http/request.ts'
import type { Passwords } from '../accounts/passwords.ts'
import { addressKey, tooMany } from '../limits/too-many.ts'
import { ownCopy } from '../own-reply.ts'
import type { BasicAuthOptions } from './options.ts'

/** Wrong passwords of one client, of IPv6 one /64, in 15 minutes; then it is 429 for all but those who are remembered. */
const MAX_FAILURES = 50
const FAILURES_MS = 15 * 60 * 1000
/** How long a password that was right is not checked again. */
const REMEMBER_MS = 5 * 60 * 1000
/** Passwords that are remembered at most, of one rule; the oldest is checked again. */
const MAX_REMEMBERED = 1000

interface Credentials {
  readonly name: string
  readonly password: string
}

export class BasicAuth {
  readonly #users: ReadonlyMap<string, string>
  readonly #challenge: string
  readonly #passwords: Passwords
  readonly #failures: RateLimiter
  /** Of this process alone: digests are worth nothing elsewhere. */
  readonly #key: Buffer
  /** When each is checked again, by `performance.now()`. */
  readonly #known: Map<string, number>
  readonly #checking: Map<string, Promise<boolean>>

  constructor({ realm = 'restricted', users }: BasicAuthOptions, passwords: Passwords) {
    this.#users = new Map(Object.entries(users).map(([name, hash]) => [name.normalize(), hash]))
    this.#challenge = `Basic realm="${realm}", charset="UTF-8"`
    this.#passwords = passwords
    const intervalMs = FAILURES_MS / MAX_FAILURES
    this.#failures = new RateLimiter('basic auth', { intervalMs, burst: MAX_FAILURES })
    this.#key = randomBytes(32)
    this.#known = new Map()
    this.#checking = new Map()
  }

  /**
   * What `next` gives, never for shared caches, with `req.remoteUser` set. Throws or rejects with 401, 429, and 503 where too
   * many passwords are checked at once.
   */
  around(req: Request, next: () => Reply | Promise<Reply>): Reply | Promise<Reply> {
    const credentials = readCredentials(req.header('authorization'))
    if (credentials === undefined) throw this.#refusal()
    const digest = this.#digest(credentials)
    if (this.#isKnown(digest)) return this.#enter(req, credentials.name, next)
    return this.#check(req, credentials, digest).then((isRight) => {
      if (!isRight) throw this.#refusal()
      return this.#enter(req, credentials.name, next)
    })
  }

  #enter(req: Request, name: string, next: () => Reply | Promise<Reply>): Reply | Promise<Reply> {
    req.remoteUser = name
    const result = next()
    return result instanceof Promise ? result.then(unshared) : unshared(result)
  }

  #refusal(): HttpError {
    return new HttpError(401, undefined, { headers: [['WWW-Authenticate', this.#challenge]] })
  }

  #isKnown(digest: string): boolean {
    const until = this.#known.get(digest)
    if (until === undefined) return false
    if (until > performance.now()) return true
    this.#known.delete(digest)
    return false
  }

  /** Who asks for many things at once is checked once. */
  #check(req: Request, credentials: Credentials, digest: string): Promise<boolean> {
    let checking = this.#checking.get(digest)
    if (checking === undefined) {
      checking = this.#verify(req, credentials, digest).finally(() => this.#checking.delete(digest))
      this.#checking.set(digest, checking)
    }
    return checking
  }

  /** Nobody's hash costs the same time as somebody's: who is there is not told. */
  async #verify(req: Request, { name, password }: Credentials, digest: string): Promise<boolean> {
    const key = addressKey(req)
    const { allowed, retryMs } = this.#failures.take(key)
    if (!allowed) throw tooMany(retryMs)
    const verifying = this.#passwords.verify(password, this.#users.get(name))
    const isRight = await verifying.catch((error: unknown) => {
      // Nobody has found it wrong.
      this.#failures.giveBack(key)
      throw error
    })
    if (!isRight) return false
    this.#failures.giveBack(key)
    const [oldest] = this.#known.keys()
    if (this.#known.size >= MAX_REMEMBERED && oldest !== undefined) this.#known.delete(oldest)
    this.#known.set(digest, performance.now() + REMEMBER_MS)
    return true
  }

  #digest({ name, password }: Credentials): string {
    return createHmac('sha256', this.#key).update(`${name}\0${password}`).digest('base64')
  }
}

/** Undefined for another scheme, and for what RFC 7617 section 2 does not allow. */
function readCredentials(field: string | undefined): Credentials | undefined {
  const [, token = ''] = /^basic +([A-Za-z0-9+/]+={0,2}) *$/i.exec(field ?? '') ?? []
  const text = decode(Buffer.from(token, 'base64'))
  const colon = text.indexOf(':')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones to refuse
  if (colon < 0 || /[\x00-\x1f\x7f]/.test(text)) return undefined
  return { name: text.slice(0, colon).normalize(), password: text.slice(colon + 1) }
}

/** Empty for what is no UTF-8. */
function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return ''
  }
}

/** A shared cache must not keep what was for one who has logged in (RFC 9111 section 3.5): `public` would let it. */
function unshared(reply: Reply): Reply {
  const copy = ownCopy(reply)
  const policy = copy.headers?.find(([name]) => name.toLowerCase() === 'cache-control')?.[1]
  if (policy !== undefined && /(?:^|[\s,])(?:private|no-store)\s*(?:,|$)/i.test(policy)) return copy
  const rest = (policy ?? 'no-cache').split(',').map((one) => one.trim())
  const own = rest.filter((one) => !/^(?:public|s-maxage=.*)$/i.test(one))
  return copy.header('Cache-Control', ['private', ...own].join(', '))
}

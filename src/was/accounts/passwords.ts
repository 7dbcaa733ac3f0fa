/**
 * Passwords hashed and checked, off the event loop: so many at a time, so many waiting, the rest is refused with
 * 503. What comes in is a password as it was typed, what leaves is its hash (PHC string) or whether it is right.
 * Called by accounts, and by sites that keep users of their own.
 */
import { Bounded } from '../../core/bounded.ts'
import { type CodedError, createError } from '../../core/errors.ts'
import { wholeOption } from '../../core/options.ts'
import { refuseUnknown } from '../../route/declaration.ts'
import { normalizePassword, type PasswordProblem, passwordProblem } from './password-rules.ts'

/**
 * What one hash costs, and how many there may be. The defaults are OWASP's first choice (Password Storage
 * Cheat Sheet: argon2id, 19 MiB, 2 passes, 1 thread), about 20 ms of one core.
 */
export interface PasswordOptions {
  /** Characters that a new password has at least, 8 to 64; default 8. NIST SP 800-63B-4 asks for 15 where there is no second factor. */
  readonly minLength?: number | undefined
  /** Memory of one hash, in KiB, 19,456 (the default) to 1,048,576. */
  readonly memoryKib?: number | undefined
  /** Passes over it, 2 (the default) to 20. */
  readonly passes?: number | undefined
  /** Hashes at a time, 1 to 64; default 2: half of the threads that Node has for files and names too. */
  readonly concurrency?: number | undefined
  /** Hashes that wait for their turn, 0 to 10,000; default 64. Beyond them it is 503. */
  readonly maxWaiting?: number | undefined
}

const OPTION_NAMES = ['minLength', 'memoryKib', 'passes', 'concurrency', 'maxWaiting']
const ARGON2ID = 2
const OUTPUT_BYTES = 32
const RETRY_AFTER_SECONDS = 2

/** Made by `createPasswords`. */
export class Passwords {
  readonly minLength: number
  /** For tests and metrics. */
  readonly queue: Bounded
  readonly #memoryCost: number
  readonly #timeCost: number
  /** What a hash of these costs begins with. */
  readonly #costs: string

  /** Throws UWAS_ERR_CORE_UNKNOWN_OPTION, UWAS_ERR_CORE_INVALID_OPTION. */
  constructor(options: PasswordOptions = {}) {
    const where = 'passwords'
    refuseUnknown(where, options, OPTION_NAMES)
    const {
      minLength = 8,
      memoryKib = 19_456,
      passes = 2,
      concurrency = 2,
      maxWaiting = 64,
    } = options
    this.minLength = wholeOption(where, 'minLength', minLength, 8, 64)
    this.#memoryCost = wholeOption(where, 'memoryKib', memoryKib, 19_456, 1_048_576)
    this.#timeCost = wholeOption(where, 'passes', passes, 2, 20)
    this.#costs = `$argon2id$v=19$m=${memoryKib},t=${passes},p=1$`
    this.queue = new Bounded(
      wholeOption(where, 'concurrency', concurrency, 1, 64),
      wholeOption(where, 'maxWaiting', maxWaiting, 0, 10_000),
      tooMany,
    )
  }

  /** What is wrong with a password that is chosen by the user of these names; undefined when it is fine. */
  problem(password: string, names: readonly string[] = []): PasswordProblem | undefined {
    return passwordProblem(password, names, this.minLength)
  }

  /**
   * The hash to keep, as a PHC string with its salt and costs. Which passwords are good is `problem`'s matter.
   * Rejects with UWAS_ERR_WAS_PASSWORDS_BUSY (503), UWAS_ERR_WAS_PASSWORD for what `problem` would call long
   * or of wrong characters, and the signal's reason.
   */
  async hash(password: string, signal?: AbortSignal): Promise<string> {
    const normal = normalizePassword(password)
    if (normal === undefined) throw createError('UWAS_ERR_WAS_PASSWORD', {})
    return await this.#hash(normal, signal)
  }

  /**
   * Whether `password` is the one that was hashed to `stored`. Without a `stored`, for a user who does not
   * exist, it takes the same time and is false: nobody learns from it who is there. Rejects as `hash`, and
   * with UWAS_ERR_WAS_PASSWORD_HASH for a `stored` that is no argon2 hash.
   */
  async verify(
    password: string,
    stored: string | null | undefined,
    signal?: AbortSignal,
  ): Promise<boolean> {
    const normal = normalizePassword(password)
    if (stored === null || stored === undefined || normal === undefined) {
      // A hash costs what a check does; nobody needs its result.
      await this.#hash(normal ?? '', signal)
      return false
    }
    return await this.queue.run(() => check(stored, normal), signal)
  }

  /** True when `stored` was made at other costs than these: hash the password anew when it is at hand. */
  isOutdated(stored: string): boolean {
    return !stored.startsWith(this.#costs)
  }

  #hash(normal: string, signal?: AbortSignal): Promise<string> {
    const options = {
      algorithm: ARGON2ID,
      memoryCost: this.#memoryCost,
      timeCost: this.#timeCost,
      parallelism: 1,
      outputLen: OUTPUT_BYTES,
    }
    return this.queue.run(async () => (await argon2()).hash(normal, options), signal)
  }
}

/** For sites with users of their own; those with `accounts` have one. Throws as `Passwords` does. */
export function createPasswords(options?: PasswordOptions): Passwords {
  return new Passwords(options)
}

/** Loaded when first wanted: a site without passwords does not pay for it. */
function argon2(): Promise<typeof import('@node-rs/argon2')> {
  return import('@node-rs/argon2')
}

async function check(stored: string, password: string): Promise<boolean> {
  try {
    return await (await argon2()).verify(stored, password)
  } catch (error) {
    throw notArgon2(error)
  }
}

function notArgon2(cause: unknown): CodedError {
  return createError('UWAS_ERR_WAS_PASSWORD_HASH', {}, cause)
}

function tooMany(): CodedError {
  const headers = [['Retry-After', String(RETRY_AFTER_SECONDS)]]
  return Object.assign(createError('UWAS_ERR_WAS_PASSWORDS_BUSY', {}), { headers })
}

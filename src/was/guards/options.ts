/** What a site's configuration says about who may ask, and how often: `access` and `limits.requests`. */
import * as z from 'zod'
import { KEY_WORDS, type LimitKey, readKey } from '../limits/keys.ts'
import type { LimitOptions } from '../limits/limit.ts'

/** Names and passwords that browsers ask for by themselves (RFC 7617). Without TLS anybody on the way can read them. */
export interface BasicAuthOptions {
  /** What the browser shows. Default `restricted`. */
  readonly realm?: string | undefined
  /** Names and the hashes of their passwords, as `uwas hashpassword` prints them. */
  readonly users: Readonly<Record<string, string>>
}

/** Who may ask for something. All rules whose `path` fits hold, files and cached pages included. */
export interface AccessRule {
  /** `/admin/*` (with `/admin` itself), `/users/<name>/export`, as in `redirects`. Default: the whole site. */
  readonly path?: string | undefined
  /**
   * Networks, addresses, `loopback` or `private`: only these clients (`req.client`, so behind `trustedProxies` too); others
   * get 403. Default: all.
   */
  readonly allow?: readonly string[] | undefined
  /** These clients get 403, whatever `allow` says. Default none. */
  readonly deny?: readonly string[] | undefined
  /** Only who knows a name and its password; others get 401. Default: nobody is asked. */
  readonly basicAuth?: BasicAuthOptions | undefined
}

/** How often clients may ask for something, files and cached pages included. */
export interface RequestLimitRule extends LimitOptions {
  /** As in `access`. Default: the whole site. */
  readonly path?: string | undefined
  /** Only these methods are counted. Default all. */
  readonly methods?: readonly string[] | undefined
}

const path = z.string()
const networks = z.array(z.string()).min(1)
const userName = z
  .string()
  .regex(/^[^:\p{Cc}]{1,255}$/u, 'is no name: without colons and control characters')
const passwordHash = z
  .string()
  .regex(
    /^\$argon2(?:id|i|d)\$v=\d+\$m=\d+,t=\d+,p=\d+\$[A-Za-z0-9+/]+\$[A-Za-z0-9+/]+$/,
    'is no hash of a password; "uwas hashpassword" makes one',
  )
const basicAuth = z.strictObject({
  realm: z
    .string()
    .regex(
      /^[\x20-\x21\x23-\x5b\x5d-\x7e]{1,200}$/,
      'holds what no realm can: plain ASCII, no quotes',
    )
    .optional(),
  users: z.record(userName, passwordHash),
})

export const accessRule = z.strictObject({
  path: path.optional(),
  allow: networks.optional(),
  deny: networks.optional(),
  basicAuth: basicAuth.optional(),
})

const limitKey = z.custom<LimitKey>(
  (value) => readKey(value as LimitKey) !== undefined,
  `is no key: ${KEY_WORDS}`,
)

export const requestLimit = z.strictObject({
  path: path.optional(),
  methods: z
    .array(z.string().regex(/^[A-Z]+$/, 'is no method in capitals'))
    .min(1)
    .optional(),
  name: z
    .string()
    .regex(/^[\w-]{1,64}$/, 'is no word of letters, digits, "-" and "_"')
    .optional(),
  requests: z.int().min(1).max(1_000_000),
  perSeconds: z.int().min(1).max(31_536_000),
  burst: z.int().min(1).max(1_000_000).optional(),
  key: limitKey.optional(),
  maxDelayMs: z.int().min(0).max(60_000).optional(),
  dryRun: z.boolean().optional(),
})

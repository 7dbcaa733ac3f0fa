/**
 * What a configuration may hold, as a schema: keys, kinds and ranges. `config.ts` holds a site's object
 * against it; `config-explain.ts` puts what does not fit into words.
 */
import * as z from 'zod'
import type { Middleware } from '../http/view.ts'
import type { UrlConf } from '../route/entry.ts'
import { accessLogOptions, accessLogSample, accessLogSchema } from './access-log.ts'
import { acmeSchema, externalAccountSchema } from './acme.ts'
import type { UserConfig } from './config-types.ts'
import { accessRule, requestLimit } from './guards/options.ts'
import type { HealthCheck } from './health/options.ts'
import { connectionLimits, limits, shedOptions } from './limits/options.ts'
import { LISTEN_KEYS, listenSchema } from './listen.ts'
import { serverTimingSchema } from './server-timing.ts'
import { statusSchema } from './status.ts'
import { certificateSchema, hstsSchema, tlsSchema } from './tls.ts'
import { tracingOptions, tracingSchema } from './tracing.ts'
import { workersOptions, workersSchema } from './workers.ts'

const path = z.string().regex(/./, 'is empty; name a folder')
const port = z.int().min(0).max(65_535)
const bytes = z.int().min(0)
const prefix = z.string().regex(/^\//, 'has to start with "/"')
const mediaType = z.string().regex(/^[^/\s;,]+\/[^/\s;,]+$/, 'is no media type like text/x-log')
const fileName = z.string().regex(/^[^/\\]+$/, 'is no file name; leave out the folder')
const relativePath = z
  .string()
  .regex(/^(?!\/)[^\\]*[^/\\]$/, 'is no path inside the folder; write it like app/index.html')
const fieldValue = z
  .string()
  .regex(/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/, 'cannot stand in a field')
const ending = z
  .string()
  .regex(/^[^./\\\sA-Z]+$/, 'is no ending like md: write it small, without its dot')
/** RFC 9110 section 8.3.1, with no more blanks than are usual. */
const contentType = z
  .string()
  .regex(
    /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+(?: ?; ?[\w!#$&^.+-]+=(?:[\w!#$&^.+-]+|"[ !#-[\]-~]*"))*$/,
    'is no type like text/markdown or text/plain; charset=euc-kr',
  )
const folder = z.strictObject({
  dir: path,
  prefix: prefix.optional(),
  index: z.union([fileName, z.array(fileName)]).optional(),
  cleanUrls: z.boolean().optional(),
  spa: z.union([z.boolean(), relativePath]).optional(),
  listing: z.boolean().optional(),
  lastModified: z.boolean().optional(),
  cacheControl: z
    .array(
      z.strictObject({
        match: z.string().regex(/./, 'is empty; write ** for all files'),
        cacheControl: fieldValue,
      }),
    )
    .optional(),
  types: z.record(ending, contentType).optional(),
})
/** The store maps each file as a whole: `MAX_MAP_BYTES`. */
const MOST_FILE_BYTES = 2 ** 30
const files = z.strictObject({
  maxBytes: bytes.optional(),
  maxFileBytes: z.int().min(0).max(MOST_FILE_BYTES).optional(),
  watch: z.literal(['auto', 'poll', false]).optional(),
  deployments: z.int().min(0).max(100).optional(),
})
const databaseUrl = z
  .string()
  .regex(/^postgres(ql)?:\/\//, 'is neither "embedded" nor a URL that starts with postgres://')
const database = z.strictObject({
  url: databaseUrl.optional(),
  directUrl: databaseUrl.optional(),
  profile: z.literal(['direct', 'pgbouncer']).optional(),
  poolSize: z.int().min(2).max(1000).optional(),
  acquireTimeoutMs: z.int().min(1).max(3_600_000).optional(),
  maxWaiting: z.int().min(0).max(1_000_000).optional(),
  connectTimeoutMs: z.int().min(1).max(3_600_000).optional(),
  statementTimeoutMs: z.int().min(0).max(86_400_000).optional(),
  slowStatementMs: z.int().min(0).max(3_600_000).optional(),
  maxConnectionSeconds: z.int().min(0).max(31_536_000).optional(),
})
const urlConf = z.custom<UrlConf>(
  (value) => Array.isArray((value as UrlConf | null)?.entries),
  'is not a URL conf; give it what urlconf() returns',
)
const middleware = z.custom<Middleware>(
  (value) => typeof value === 'function',
  'is not a function (req, next) => reply',
)

/** Its own check says what is wrong, without quoting it. */
const secret = z.custom<string>(() => true)

const corsPolicy = z.strictObject({
  prefix: prefix.optional(),
  origins: z.union([z.literal('*'), z.array(z.string())]),
  methods: z.array(z.string()).optional(),
  headers: z.array(z.string()).optional(),
  exposeHeaders: z.array(z.string()).optional(),
  credentials: z.boolean().optional(),
  maxAgeSeconds: z.int().min(0).optional(),
})
const off = z.literal(false)
const sources = z.union([off, z.record(z.string(), z.array(z.string()))]).optional()
const security = z.strictObject({
  contentTypeOptions: z.union([off, z.literal('nosniff')]).optional(),
  referrerPolicy: z.union([off, z.string()]).optional(),
  frameAncestors: z.union([off, z.literal(['self', 'none']), z.array(z.string())]).optional(),
  openerPolicy: z
    .union([off, z.literal(['same-origin', 'same-origin-allow-popups', 'unsafe-none'])])
    .optional(),
  resourcePolicy: z
    .union([off, z.literal(['same-origin', 'same-site', 'cross-origin'])])
    .optional(),
  permissionsPolicy: sources,
  contentSecurityPolicy: sources,
  contentSecurityPolicyReportOnly: sources,
})

/** What browsers keep at most: 400 days (RFC 6265bis section 5.5). */
const MOST_LIFETIME_SECONDS = 400 * 86_400
const sessions = z.strictObject({
  store: z.literal(['postgres', 'cookie']).optional(),
  idleSeconds: z.int().min(1).max(MOST_LIFETIME_SECONDS).optional(),
  lifetimeSeconds: z.int().min(1).max(MOST_LIFETIME_SECONDS).optional(),
  maxBytes: z
    .int()
    .min(1)
    .max(2 ** 24)
    .optional(),
  cookieName: z
    .string()
    .regex(/^[A-Za-z0-9][\w.-]{0,63}$/, 'is no name like "session"')
    .optional(),
})

const attempts = z.int().min(1).max(1_000_000).optional()
const accounts = z.strictObject({
  groups: z
    .record(z.string().regex(/^[\w.-]{1,64}$/, 'is no name'), z.array(z.string()))
    .optional(),
  logInPath: z
    .string()
    .regex(/^\/(?![/\\])\S*$/, 'is no path like /log-in')
    .optional(),
  passwords: z
    .strictObject({
      minLength: z.int().min(8).max(64).optional(),
      memoryKib: z.int().min(19_456).max(1_048_576).optional(),
      passes: z.int().min(2).max(20).optional(),
      concurrency: z.int().min(1).max(64).optional(),
      maxWaiting: z.int().min(0).max(10_000).optional(),
    })
    .optional(),
  maxLogInsPerAddress: attempts,
  maxLogInsPerAccount: attempts,
  maxSignUpsPerAddress: attempts,
})

const origin = z
  .string()
  .regex(/^https?:\/\/[^/?#\sA-Z]+$/, 'is no origin like https://example.org, in lower case')

const healthPath = z
  .string()
  .regex(/^(?:\/(?!\.{1,2}(?:\/|$))[\w.~-]+)+$/, 'is no plain path like /healthz')
const health = z.strictObject({
  alivePath: healthPath.optional(),
  readyPath: healthPath.optional(),
  timeoutMs: z.int().min(1).max(60_000).optional(),
  checks: z
    .record(
      z.string().regex(/^[\w.-]{1,64}$/, 'is no name'),
      z.custom<HealthCheck>(
        (value) => typeof value === 'function',
        'is not a function ({ services, signal }) => …',
      ),
    )
    .optional(),
})

/** A name, `*.` and a name, an IPv4 address, or an IPv6 address in its brackets; as `normalizeHost` leaves it. */
const allowedHost = z
  .string()
  .regex(
    /^(?:(?:\*\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])$/,
    'is no host like example.org or *.example.org: small ASCII letters, without scheme and port',
  )

export const SCHEMA = z.strictObject({
  urls: urlConf.optional(),
  static: z.union([path, z.array(z.union([path, folder]))]).optional(),
  files: files.optional(),
  cache: z.strictObject({ maxBytes: bytes.optional(), shared: z.boolean().optional() }).optional(),
  templates: path.optional(),
  migrations: path.optional(),
  database: z.union([z.literal(false), z.literal('embedded'), databaseUrl, database]).optional(),
  host: z.string().regex(/./, 'is empty; leave it out for all addresses').optional(),
  port: port.optional(),
  listen: listenSchema.optional(),
  tls: tlsSchema.optional(),
  workers: workersSchema.optional(),
  stateDir: path.optional(),
  limits: limits.optional(),
  access: z.array(accessRule).optional(),
  proxyProtocol: z.array(z.string()).min(1).optional(),
  trustedProxies: z
    .union([
      z.array(z.string()),
      z.strictObject({
        networks: z.array(z.string()),
        field: z.literal(['x-forwarded-for', 'forwarded']).optional(),
      }),
    ])
    .optional(),
  allowedHosts: z.array(allowedHost).min(1).optional(),
  unknownHosts: z.literal([421, 404, 'close']).optional(),
  health: z.union([off, health]).optional(),
  status: statusSchema.optional(),
  serverTiming: serverTimingSchema.optional(),
  tracing: tracingSchema.optional(),
  redirects: z
    .array(
      z.strictObject({
        from: z.string(),
        to: z.string(),
        status: z.literal([301, 302, 303, 307, 308]),
      }),
    )
    .optional(),
  rewrites: z.array(z.strictObject({ from: z.string(), to: z.string() })).optional(),
  cors: z.array(corsPolicy).optional(),
  securityHeaders: z.union([z.literal(false), security]).optional(),
  compression: z
    .union([
      z.literal(false),
      z.strictObject({ minBytes: bytes.optional(), types: z.array(mediaType).optional() }),
    ])
    .optional(),
  errorPages: z
    .array(
      z.strictObject({
        status: z.int().min(400).max(599),
        file: z.string().regex(/./, 'is empty; name an HTML file'),
        prefix: prefix.optional(),
      }),
    )
    .optional(),
  privateFiles: path.optional(),
  middleware: z.array(middleware).optional(),
  secrets: z.array(secret).optional(),
  sessions: sessions.optional(),
  accounts: accounts.optional(),
  csrf: z
    .union([
      z.literal(false),
      z.strictObject({
        mode: z.literal(['token', 'fetchMetadata']).optional(),
        trustedOrigins: z.array(origin).optional(),
      }),
    ])
    .optional(),
  requestContext: z.boolean().optional(),
  trailingSlash: z.literal(['redirect', 'strict']).optional(),
  etags: z.boolean().optional(),
  timings: z.boolean().optional(),
  accessLog: accessLogSchema.optional(),
}) satisfies z.ZodType<UserConfig>

/** The keys of a configuration, by the dotted path of the object that has them; '' is the whole. */
export const KNOWN_KEYS: Readonly<Record<string, readonly string[]>> = {
  '': Object.keys(SCHEMA.shape),
  static: Object.keys(folder.shape),
  'static.cacheControl': ['match', 'cacheControl'],
  files: Object.keys(files.shape),
  listen: LISTEN_KEYS,
  tls: Object.keys(tlsSchema.shape),
  'tls.certificates': Object.keys(certificateSchema.shape),
  'tls.acme': Object.keys(acmeSchema.shape),
  'tls.acme.externalAccount': Object.keys(externalAccountSchema.shape),
  'tls.hsts': Object.keys(hstsSchema.shape),
  workers: Object.keys(workersOptions.shape),
  cache: ['maxBytes', 'shared'],
  database: Object.keys(database.shape),
  sessions: Object.keys(sessions.shape),
  accounts: Object.keys(accounts.shape),
  'accounts.passwords': ['minLength', 'memoryKib', 'passes', 'concurrency', 'maxWaiting'],
  csrf: ['mode', 'trustedOrigins'],
  health: Object.keys(health.shape),
  status: Object.keys(statusSchema.shape),
  serverTiming: Object.keys(serverTimingSchema.shape),
  tracing: Object.keys(tracingOptions.shape),
  limits: Object.keys(limits.shape),
  'limits.connections': Object.keys(connectionLimits.shape),
  'limits.shed': Object.keys(shedOptions.shape),
  'limits.requests': Object.keys(requestLimit.shape),
  access: Object.keys(accessRule.shape),
  'access.basicAuth': ['realm', 'users'],
  trustedProxies: ['networks', 'field'],
  redirects: ['from', 'to', 'status'],
  rewrites: ['from', 'to'],
  cors: Object.keys(corsPolicy.shape),
  securityHeaders: Object.keys(security.shape),
  compression: ['minBytes', 'types'],
  errorPages: ['status', 'file', 'prefix'],
  accessLog: Object.keys(accessLogOptions.shape),
  'accessLog.sample': Object.keys(accessLogSample.shape),
}

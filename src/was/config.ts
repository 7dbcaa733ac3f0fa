/**
 * The configuration of a site: `defineConfig` types it where it is written, `parseConfig` takes what
 * the file exports and leaves a checked, complete, frozen `SiteConfig`. Called by `commands/`.
 */
import { dirname, join, resolve } from 'node:path'
import { createError } from '../core/errors.ts'
import { accessLogOf, accessLogProblems } from './access-log.ts'
import type { SiteAccounts } from './accounts/accounts.ts'
import { DEFAULT_COMPRESSION } from './compression.ts'
import { explain } from './config-explain.ts'
import { KNOWN_KEYS, SCHEMA } from './config-schema.ts'
import type {
  FilesOptions,
  SiteCache,
  SiteConfig,
  SiteFiles,
  SiteSessions,
  StaticFolder,
  StaticMount,
  UserConfig,
} from './config-types.ts'
import type { DatabaseConfig } from './database-options.ts'
import { DEFAULT_HEALTH, OWN_CHECKS, type SiteHealth } from './health/options.ts'
import { limitProblems, limitsOf } from './limits/options.ts'
import { listeningOf } from './listen.ts'
import { DEFAULT_PORT, readPort } from './port.ts'
import { serverTimingOf } from './server-timing.ts'
import { stateDirOf } from './state-dir.ts'
import { statusOf } from './status.ts'
import { tlsOf, tlsProblems } from './tls.ts'
import { tracingOf } from './tracing.ts'
import { workersOf } from './workers.ts'

export type { SiteConfig, UserConfig } from './config-types.ts'

export interface ParseConfigOptions {
  /** Absolute path of the configuration file: the place of every message. */
  readonly file: string
  /** DATABASE_URL, PORT and OpenTelemetry's names (OTEL_…) are read. */
  readonly env: Readonly<Record<string, string | undefined>>
}

const DEFAULT_DATABASE: Omit<DatabaseConfig, 'url'> = {
  directUrl: null,
  profile: 'direct',
  poolSize: 10,
  acquireTimeoutMs: 5000,
  maxWaiting: 1000,
  connectTimeoutMs: 5000,
  statementTimeoutMs: 30_000,
  slowStatementMs: null,
  maxConnectionSeconds: 1800,
}
const INDEX = 'index.html'
const DEFAULT_FILES: SiteFiles = {
  maxBytes: 512 * 1024 * 1024,
  maxFileBytes: 16 * 1024 * 1024,
  watch: 'auto',
  deployments: 3,
}
const DEFAULT_CACHE: SiteCache = { maxBytes: 64 * 1024 * 1024, shared: null }
const DEFAULT_SESSIONS: SiteSessions = {
  store: 'postgres',
  idleSeconds: 7 * 86_400,
  lifetimeSeconds: 30 * 86_400,
  maxBytes: 64 * 1024,
  cookieName: 'session',
}
const DEFAULT_ACCOUNTS: SiteAccounts = {
  groups: {},
  logInPath: null,
  passwords: {},
  maxLogInsPerAddress: 50,
  maxLogInsPerAccount: 10,
  maxSignUpsPerAddress: 30,
}

/** Objects whose keys are options of their own in the README; those of others stand in their docstrings. */
const TOLD_APART = [
  'files',
  'tls',
  'tls.acme',
  'accessLog',
  'workers',
  'cache',
  'database',
  'limits',
  'sessions',
  'accounts',
  'csrf',
  'health',
  'status',
  'serverTiming',
  'tracing',
]

/** The keys that a configuration may have; the book test holds the README against them. */
export const CONFIG_KEYS: readonly string[] = [
  ...(KNOWN_KEYS[''] ?? []),
  ...TOLD_APART.flatMap((at) => (KNOWN_KEYS[at] ?? []).map((key) => `${at}.${key}`)),
]

/** Types the configuration of a site where it is written; gives back what it gets. */
export function defineConfig(config: UserConfig): UserConfig {
  return config
}

/**
 * Checks a whole configuration and fills in its defaults. Throws UWAS_ERR_WAS_CONFIG with every
 * problem at once: its path, what stands there, what would be right.
 */
export function parseConfig(raw: unknown, { file, env }: ParseConfigOptions): SiteConfig {
  // Once a process: what zod would compile for a second time costs more than the look.
  const parsed = SCHEMA.safeParse(raw, { jitless: true })
  const problems = parsed.success ? [] : parsed.error.issues.flatMap((issue) => explain(issue, raw))
  const envPort = readPort(env['PORT'])
  if (envPort === null) {
    problems.push(
      `the environment's PORT is "${env['PORT']}"; it has to be a number from 0 to 65535`,
    )
  }
  problems.push(...contradictions(parsed.data))
  const root = dirname(file)
  const listening = listeningOf(parsed.data ?? {}, { root, envPort })
  const accessLog = accessLogOf(parsed.data?.accessLog, root)
  const traced = tracingOf(parsed.data?.tracing, accessLog?.redact ?? [], env)
  problems.push(...listening.problems, ...traced.problems)
  if (!parsed.success || envPort === null || problems.length > 0) throw configError(file, problems)
  const config = parsed.data
  const at = (dir: string | undefined) => (dir === undefined ? null : resolve(root, dir))
  return deepFreeze({
    file,
    root,
    urls: config.urls ?? null,
    static: listFolders(config.static).map((one) => mountOf(root, one)),
    files: filesOf(config.files),
    cache: withDefaults(DEFAULT_CACHE, config.cache),
    templates: at(config.templates),
    migrations: at(config.migrations),
    database: chooseDatabase(config, env['DATABASE_URL']),
    host: config.host ?? null,
    port: envPort ?? config.port ?? DEFAULT_PORT,
    listen: listening.listen,
    tls: tlsOf(config, listening.tlsListen, root),
    workers: workersOf(config.workers),
    stateDir: stateDirOf(config.stateDir, root),
    limits: limitsOf(config.limits),
    access: config.access ?? [],
    proxyProtocol: config.proxyProtocol === undefined ? null : [...config.proxyProtocol],
    trustedProxies: proxiesOf(config.trustedProxies),
    allowedHosts: config.allowedHosts === undefined ? null : [...config.allowedHosts],
    unknownHosts: config.unknownHosts ?? 421,
    health: healthOf(config),
    status: statusOf(config.status),
    serverTiming: serverTimingOf(config.serverTiming),
    ...traced.site,
    redirects: config.redirects ?? [],
    rewrites: config.rewrites ?? [],
    cors: config.cors ?? [],
    securityHeaders: config.securityHeaders ?? {},
    compression:
      config.compression === false ? null : withDefaults(DEFAULT_COMPRESSION, config.compression),
    errorPages: (config.errorPages ?? []).map((one) => ({ ...one, file: resolve(root, one.file) })),
    privateFiles: at(config.privateFiles),
    middleware: [...(config.middleware ?? [])],
    secrets: [...(config.secrets ?? [])],
    sessions: sessionsOf(config),
    accounts: accountsOf(config),
    csrf: csrfOf(config),
    requestContext: config.requestContext ?? false,
    trailingSlash: config.trailingSlash ?? 'redirect',
    etags: config.etags ?? false,
    timings: config.timings ?? false,
    accessLog,
  })
}

/** What keys say together. */
function contradictions(config: UserConfig | undefined): string[] {
  const problems: string[] = []
  if (config?.database === false && config.migrations !== undefined) {
    problems.push('migrations are given, but database is false; drop one of the two')
  }
  if (config?.database === false && config.cache?.shared === true) {
    problems.push('cache.shared is told by PostgreSQL, but database is false; drop one of the two')
  }
  problems.push(...sessionProblems(config), ...healthProblems(config), ...hostProblems(config))
  problems.push(...accessLogProblems(config?.accessLog), ...tlsProblems(config ?? {}))
  problems.push(...limitProblems(config ?? {}))
  return problems
}

/** Where `uwas build` writes the site's templates. */
export function builtTemplates({ root }: SiteConfig): string {
  return join(root, 'build', 'templates.mjs')
}

function listFolders(given: UserConfig['static']): StaticFolder[] {
  const list = given === undefined ? [] : typeof given === 'string' ? [given] : given
  return list.map((one) => (typeof one === 'string' ? { dir: one } : one))
}

function mountOf(root: string, folder: StaticFolder): StaticMount {
  const { dir, prefix = '/', index = INDEX, spa = false } = folder
  return {
    dir: resolve(root, dir),
    prefix,
    index: typeof index === 'string' ? [index] : [...index],
    cleanUrls: folder.cleanUrls ?? false,
    spa: spa === true ? INDEX : spa === false ? null : spa,
    listing: folder.listing ?? false,
    lastModified: folder.lastModified ?? true,
    cacheControl: (folder.cacheControl ?? []).map((rule) => ({ ...rule })),
    types: { ...folder.types },
  }
}

function proxiesOf(given: UserConfig['trustedProxies']): SiteConfig['trustedProxies'] {
  if (given === undefined) return null
  return 'networks' in given ? { ...given } : { networks: [...given] }
}

function filesOf({ watch, ...rest }: FilesOptions = {}): SiteFiles {
  return {
    ...withDefaults(DEFAULT_FILES, rest),
    watch: watch === false ? 'off' : (watch ?? 'auto'),
  }
}

function sessionsOf({ sessions }: UserConfig): SiteSessions | null {
  return sessions === undefined ? null : withDefaults(DEFAULT_SESSIONS, sessions)
}

function accountsOf({ accounts }: UserConfig): SiteConfig['accounts'] {
  if (accounts === undefined) return null
  return withDefaults(DEFAULT_ACCOUNTS, accounts)
}

function csrfOf({ csrf, sessions }: UserConfig): SiteConfig['csrf'] {
  if (csrf === false || (csrf === undefined && sessions === undefined)) return null
  return { mode: csrf?.mode ?? 'token', trustedOrigins: [...(csrf?.trustedOrigins ?? [])] }
}

function healthOf({ health, urls }: UserConfig): SiteHealth | null {
  if (health === false || (health === undefined && urls === undefined)) return null
  return withDefaults(DEFAULT_HEALTH, health)
}

function healthProblems(config: UserConfig | undefined): string[] {
  const health = config === undefined ? null : healthOf(config)
  if (health === null) return []
  const { alivePath, readyPath, checks } = health
  const taken = OWN_CHECKS.filter((name) => Object.hasOwn(checks, name))
  return [
    ...(alivePath === readyPath
      ? [`health.alivePath and health.readyPath are both ${alivePath}; give each its own`]
      : []),
    ...taken.map((name) => `health.checks.${name} is a check of uwas itself; take another name`),
  ]
}

function hostProblems(config: UserConfig | undefined): string[] {
  if (config?.unknownHosts === undefined) return []
  const problems: string[] = []
  if (config.allowedHosts === undefined) {
    problems.push('unknownHosts is for hosts that are none of allowedHosts; list those')
  }
  if (config.unknownHosts === 'close' && proxiesOf(config.trustedProxies) !== null) {
    problems.push(
      "unknownHosts is 'close', but behind trustedProxies connections are those of the proxies; take 421 or 404",
    )
  }
  return problems
}

/** What the keys say together. */
function sessionProblems(config: UserConfig | undefined): string[] {
  const sessions = config === undefined ? null : sessionsOf(config)
  const hasSecrets = (config?.secrets ?? []).length > 0
  const problems: string[] = []
  if (sessions === null && config?.accounts !== undefined) {
    problems.push('accounts need sessions; say sessions: {}')
  }
  if (config?.accounts !== undefined && config.database === false) {
    problems.push('accounts are kept in PostgreSQL, but database is false; drop one of the two')
  }
  if (sessions === null) {
    if (config?.csrf && csrfOf(config)?.mode === 'token' && !hasSecrets) {
      problems.push(
        'csrf.mode "token" needs secrets; set "secrets", or say csrf: { mode: "fetchMetadata" }',
      )
    }
    return problems
  }
  if (!hasSecrets) {
    problems.push('sessions need secrets; set "secrets" from the environment: [process.env.SECRET]')
  }
  if (config?.database === false && sessions.store === 'postgres') {
    problems.push("sessions are kept in PostgreSQL, but database is false; say store: 'cookie'")
  }
  if (sessions.idleSeconds > sessions.lifetimeSeconds) {
    const { idleSeconds: idle, lifetimeSeconds: lifetime } = sessions
    problems.push(
      `sessions.idleSeconds is ${idle}, longer than sessions.lifetimeSeconds: ${lifetime}`,
    )
  }
  return problems
}

function chooseDatabase(config: UserConfig, envUrl: string | undefined): DatabaseConfig | null {
  const { database } = config
  const fromEnv = envUrl === undefined || envUrl === '' ? null : envUrl
  if (database === false) return null
  if (database === 'embedded') return { ...DEFAULT_DATABASE, url: null }
  if (typeof database === 'string') return { ...DEFAULT_DATABASE, url: database }
  if (database !== undefined) {
    const { url, ...rest } = database
    return { ...withDefaults(DEFAULT_DATABASE, rest), url: url ?? fromEnv }
  }
  const needed =
    config.migrations !== undefined ||
    config.cache?.shared === true ||
    config.accounts !== undefined ||
    sessionsOf(config)?.store === 'postgres'
  const wanted = needed || (fromEnv !== null && config.urls !== undefined)
  return wanted ? { ...DEFAULT_DATABASE, url: fromEnv } : null
}

function configError(file: string, problems: readonly string[]): Error {
  return createError('UWAS_ERR_WAS_CONFIG', {
    file,
    problems: problems.map((problem) => `\n  - ${problem}`).join(''),
  })
}

/** `given` over `defaults`, key by key; a key that is undefined is not given. */
function withDefaults<T extends object>(
  defaults: T,
  given: { readonly [K in keyof T]?: T[K] | undefined } | undefined,
): T {
  const known = Object.entries(given ?? {}).filter(([, value]) => value !== undefined)
  return { ...defaults, ...Object.fromEntries(known) }
}

/** Freezes plain objects and lists of ours; what the user made (URL conf, functions) stays as it is. */
function deepFreeze(config: SiteConfig): SiteConfig {
  const { urls: _urls, middleware, ...plain } = config
  for (const value of Object.values(plain)) freezeAll(value)
  Object.freeze(middleware)
  return Object.freeze(config)
}

function freezeAll(value: unknown): void {
  if (value === null || typeof value !== 'object' || Object.isFrozen(value)) return
  Object.freeze(value)
  for (const inner of Object.values(value)) freezeAll(inner)
}

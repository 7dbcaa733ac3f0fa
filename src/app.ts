/**
 * The composition root of one worker: a configuration becomes what `server/` serves. All stages are
 * wired here and nowhere else; every mistake that can be found before the first request is found here.
 */
import { join } from 'node:path'
import { createLogs, type Logs } from './app/logs.ts'
import { measureAll } from './app/measuring.ts'
import { observingOf } from './app/observing.ts'
import { isCacheShared, openDatabase } from './app/open-database.ts'
import { type OnOutage, type Preparation, prepareDatabase } from './app/prepare-database.ts'
import { servicesOf } from './app/services.ts'
import { templatesOf } from './app/templates.ts'
import { Memory } from './cache/budget.ts'
import { CACHE, Cache } from './cache/cache.ts'
import { ValueStore } from './cache/value-store.ts'
import type { Log } from './core/log.ts'
import type { Services } from './core/services.ts'
import { type Catalogue, createCatalogue } from './files/catalogue.ts'
import { FILE_METHODS } from './files/entry.ts'
import { createHeads } from './files/heads.ts'
import type { Reply } from './http/reply.ts'
import type { Request } from './http/request.ts'
import { securityHeaders } from './http/security-headers.ts'
import { encodePath } from './http/target.ts'
import type { Middleware } from './http/view.ts'
import type { Database } from './model/database.ts'
import { readMigrations } from './model/migration-files.ts'
import { loadNative } from './native/load.ts'
import type { Native } from './native/skin.ts'
import { measureStatements } from './observe/metrics/backend-metrics.ts'
import { Registry } from './observe/metrics/registry.ts'
import { siteMetrics } from './observe/metrics/site-metrics.ts'
import type { Readiness } from './observe/status/listener.ts'
import { TraceLog } from './observe/trace-log.ts'
import { Tracer } from './observe/tracing/tracer.ts'
import { PageCache } from './pages/page-cache.ts'
import { PageStore } from './pages/page-store.ts'
import { PageVariants } from './pages/page-variants.ts'
import { type CompiledUrls, compileUrls } from './route/compile.ts'
import { urlconf } from './route/urlconf.ts'
import type { Application } from './server/application.ts'
import { TEMPLATES, type Templates } from './template/templates.ts'
import { ALLOWED_HOSTS } from './was/allowed-hosts.ts'
import { createCompress } from './was/compress.ts'
import type { SiteConfig } from './was/config.ts'
import { CSRF } from './was/csrf/csrf.ts'
import { csrfGuardOf } from './was/csrf/guard.ts'
import { createDispatcher, type DispatchOptions } from './was/dispatch.ts'
import { createErrorPages, type ErrorPages } from './was/error-pages.ts'
import { createTag } from './was/etags.ts'
import { finishing } from './was/finish.ts'
import { markRequests } from './was/fragments.ts'
import { siteGuards } from './was/guards/site-guards.ts'
import { createHealth, createReadiness } from './was/health/health.ts'
import { DEFAULT_HEALTH } from './was/health/options.ts'
import { tellsHealth } from './was/health/paths.ts'
import { createLoadShedder, type LoadShedder } from './was/limits/load-shedder.ts'
import { ownMiddleware, provideOwn } from './was/own-services.ts'
import { ROOMS, Rooms } from './was/rooms.ts'
import { serverTiming } from './was/server-timing.ts'
import { SharedTags } from './was/shared-tags.ts'
import { createSiteRules } from './was/site-rules.ts'
import { createSiteSockets } from './was/site-sockets.ts'
import { createStaticUrls, STATIC_URLS, type StaticUrls } from './was/static-url.ts'
import { createUploads, type Uploads } from './was/upload/multipart.ts'

/** What outlives a reload of the site's code: files, connections, the embedded PostgreSQL. */
export interface Backends {
  readonly files: Catalogue
  /** For files that views send. */
  readonly native: Native
  readonly database: Database | null
  readonly uploads: Uploads
  /** What `cache(req)` keeps; begins anew with each reload. */
  readonly values: ValueStore
  /** What routes with `cached` have made; the same. */
  readonly pages: PageStore
  readonly pageVariants: PageVariants
  /** Kept over reloads, so that `recentTraces` does not forget. */
  readonly traces: TraceLog | null
  /** Null where requests are not told as OpenTelemetry traces. */
  readonly tracer: Tracer | null
  /** Null where no request is refused for what there is to do. */
  readonly shedder: LoadShedder | null
  /** What is measured; null where nobody can ask for it. */
  readonly metrics: Registry | null
  readonly logs: Logs
  /** Closes connections, then stops the PostgreSQL that this process started. */
  close(): Promise<void>
}

/** What a process does for, and has from, the others that serve the same site. */
export interface Share {
  /** Of the PostgreSQL that the supervisor looks after; null where the configuration names one, or none. */
  readonly databaseUrl: string | null
  /** Processes that have the pool's connections together. */
  readonly workers: number
  /** Whether it is the one that compresses files before anybody asks. */
  readonly isFirst: boolean
  /** Its number, from 1, as logs name it. */
  readonly worker: number
}

/** What a command adds to a site that it builds. */
export interface AppOptions {
  readonly log: Log
  /** Outside of the site's own middleware: development's tools. Default none. */
  readonly middleware?: readonly Middleware[]
  /** Whether pages name static files by fingerprinted URLs. Default true; development follows plain ones. */
  readonly fingerprints?: boolean
  /** Whether a template's tag that nothing has a value for, and a database ahead of the migrations, are errors. Default false; development says so. */
  readonly isStrict?: boolean
  /** Whether the database is brought up to date. Default true; of several workers one does it. */
  readonly migrates?: boolean
  /** What a database that is away does to it. Default `fail`. */
  readonly onOutage?: OnOutage
  /** Called when the database is up to date, or where there is none. */
  readonly onMigrated?: () => void
  /** Development's page of an unexpected error. Default: the site's own error page. */
  readonly debugPage?: (req: Request, error: unknown) => Reply
}

/** What `server/` serves, and what commands want to know of it. */
export interface App extends Application {
  readonly config: SiteConfig
  readonly templates: Templates | null
  /** Whether it can do its work now. */
  readonly readiness: () => Readiness | Promise<Readiness>
  /** What it and its site have measured; none where nobody can ask for it. */
  readonly metrics: readonly Registry[]
  /** Files, and templates, routes and statements of the site: for the line that says it has started. */
  readonly counts: { readonly files: number; readonly routes: number; readonly templates: number }
}

/** How they differ from those of a server that has its machine alone. */
export interface BackendOptions {
  /** Find N+1 reads and transactions that do not end, for development and tests. Default false. */
  readonly refusesRepeats?: boolean
  /** `database.slowStatementMs` where the configuration does not say it. Default 0. */
  readonly slowStatementMs?: number
  readonly share?: Share
}

/**
 * Reads the static files and connects the database; starts the embedded PostgreSQL where the
 * configuration wants it. One warning line when the native addon is missing.
 */
export async function openBackends(
  config: SiteConfig,
  log: Log,
  options: BackendOptions = {},
): Promise<Backends> {
  const native = loadNative()
  if (native.reason !== undefined) log.warn(`without the native addon: ${native.reason}`)
  const worker = options.share?.worker ?? 0
  const logs = createLogs(config, log, worker)
  const memory = new Memory(config.files.maxBytes)
  const files = await createCatalogue({
    memory,
    mounts: config.static,
    ceilingBytes: config.files.maxFileBytes,
    maxBytes: config.files.maxBytes,
    watch: config.files.watch,
    deployments: config.files.deployments,
    compressesAhead: options.share?.isFirst ?? true,
    storeDir: join(config.stateDir, 'objects'),
    native,
    log,
    baseHeaders: securityHeaders(config.securityHeaders),
  })
  const values = new ValueStore(config.cache.maxBytes, memory)
  const pages = new PageStore(values)
  const pageVariants = new PageVariants(pages, log)
  const metrics = config.status === null ? null : new Registry()
  const workers = options.share?.workers ?? 1
  const { postgres, database } = await openDatabase(config, log, {
    refusesRepeats: options.refusesRepeats ?? false,
    url: options.share?.databaseUrl ?? null,
    workers,
    slowStatementMs: options.slowStatementMs ?? 0,
    times: metrics === null ? null : measureStatements(metrics),
  })
  const tracer = config.tracing === null ? null : new Tracer(config.tracing, { worker, log })
  const shedder = createLoadShedder(config.limits.shed, { database, log })
  const measured = { files, values, pages, database, access: logs.access, tracer, shedder }
  const stopMeasuring = metrics === null ? null : measureAll(metrics, measured)
  const sharedTags =
    database !== null && isCacheShared(config, workers)
      ? new SharedTags({ tags: values.tags, database, log })
      : null
  return {
    files,
    native,
    database,
    uploads: await createUploads(join(config.stateDir, 'uploads')),
    values,
    pages,
    pageVariants,
    traces: config.timings ? new TraceLog() : null,
    tracer,
    shedder,
    metrics,
    logs,
    async close() {
      shedder?.close()
      const told = tracer?.close()
      stopMeasuring?.()
      pageVariants.close()
      await files.close()
      await sharedTags?.close()
      await database?.close()
      await postgres?.stop()
      await told
      await logs.close()
    },
  }
}

/** The engine reads its limit from the environment, once, when it is loaded: before the first `listen`. */
export function setHeaderLimit({ limits }: SiteConfig): void {
  process.env['UWS_HTTP_MAX_HEADERS_SIZE'] = String(limits.maxHeaderBytes)
}

/**
 * Builds the site over its backends: migrates, prepares and checks all statements, compiles templates
 * and URL conf. Throws the first mistake; the backends stay open.
 */
export async function createApp(
  config: SiteConfig,
  backends: Backends,
  options: AppOptions,
): Promise<App> {
  const { log, debugPage } = options
  const { database, files } = backends
  const urls = compileUrls(config.urls ?? urlconf(), { trailingSlash: config.trailingSlash })
  const staticUrls = staticUrlsOf(config, backends, options)
  const templates = await templatesOf(config, staticUrls, options.isStrict ?? false)
  const preparation = database === null ? null : await prepareDatabase(config, database, options)
  options.onMigrated?.()
  const rooms = new Rooms()
  const services = servicesOf(config, backends).provide(ROOMS, rooms)
  services.provide(STATIC_URLS, staticUrls)
  if (templates !== null) services.provide(TEMPLATES, templates)
  provideOwn(config, services, options.isStrict ?? false)
  const rules = createSiteRules(config)
  const errorPages = createErrorPages({ log, debugPage, files: config.errorPages })
  const finish = finishOf(config, rules, errorPages, log)
  const guards = siteGuards(config, { rules, errorPages, finish, namesOf: files.namesOf })
  const readiness = readinessOf(config, services, preparation, log)
  const dispatcher = createDispatcher({
    urls,
    middleware: middlewareOf(config, services, templates, options),
    errorPages,
    maxBodyBytes: config.limits.maxBodyBytes,
    viewTimeoutMs: config.limits.maxViewSeconds * 1000,
    hasContext: config.requestContext,
    guardOf: (route, view) => csrfGuardOf(route, view, services.find(CSRF) ?? null, rules),
    fileMethods: (path) =>
      files.lookup(encodePath(path)) === undefined ? undefined : `${FILE_METHODS}, OPTIONS`,
    ...(config.health !== null && { health: createHealth(config.health, readiness) }),
    fallback: (req) => files.fallBack(req, guards ?? undefined),
    shedder: backends.shedder,
    pages: pagesOf(config, backends, log),
  })
  // Last, since nothing can fail any more: the site before this one goes on with what it has until then.
  backends.values.renew()
  backends.pages.renew()
  services.provide(CACHE, new Cache(backends.values, log))
  return {
    config,
    templates,
    readiness,
    metrics: backends.metrics === null ? [] : [backends.metrics, siteMetrics()],
    files,
    pages: hasFastPages(config, urls) ? backends.pages : null,
    services,
    rules,
    guards,
    // Proxies name themselves in Host; what the client has named is known to the request alone.
    hosts: config.trustedProxies === null ? (services.find(ALLOWED_HOSTS) ?? null) : null,
    tellsHealth: (rawPath, host) =>
      tellsHealth({ health: config.health, files, urls, rules }, rawPath, host),
    sockets: createSiteSockets(urls, rooms, dispatcher.compose),
    dispatch: serverTiming(config.serverTiming)(finish(dispatcher.dispatch)),
    notFound: finish(dispatcher.notFound),
    tooLarge: finish(dispatcher.tooLarge),
    errorPages,
    bodyLimit: dispatcher.bodyLimit,
    ...observingOf(backends),
    limits: config.limits,
    log,
    counts: {
      files: files.stats.files,
      routes: urls.routes.length,
      templates: templates?.names().length ?? 0,
    },
  }
}

/** The site's templates with what their tags can name; null without any. For the shell. */
export async function siteTemplates(
  config: SiteConfig,
  backends: Backends,
  options: AppOptions,
): Promise<Templates | null> {
  const staticUrls = staticUrlsOf(config, backends, options)
  return templatesOf(config, staticUrls, options.isStrict ?? false)
}

/** What runs around every view, outermost first. */
function middlewareOf(
  config: SiteConfig,
  services: Services,
  templates: Templates | null,
  { middleware = [], isStrict = false }: AppOptions,
): Middleware[] {
  // In development templates are read again: there may be fragments later.
  const keepsFragments = templates !== null && (templates.hasFragments || isStrict)
  return [
    ...(keepsFragments ? [markRequests] : []),
    ...middleware,
    ...ownMiddleware(config, services),
    ...config.middleware,
  ]
}

function finishOf(
  { compression, etags }: SiteConfig,
  rules: ReturnType<typeof createSiteRules>,
  errorPages: ErrorPages,
  log: Log,
): ReturnType<typeof finishing> {
  const compress = compression === null ? null : createCompress(compression, log)
  return finishing(rules, compress, etags ? createTag(errorPages) : null, errorPages)
}

function readinessOf(
  config: SiteConfig,
  services: Services,
  preparation: Preparation | null,
  log: Log,
): App['readiness'] {
  const { health, migrations: dir } = config
  const migrations = dir === null ? null : readMigrations(dir).map(({ name }) => name)
  return createReadiness(health ?? DEFAULT_HEALTH, { services, migrations, preparation, log })
}

/** Behind proxies the host that counts is not that of the connection: pages are found by the dispatcher. */
function hasFastPages({ trustedProxies }: SiteConfig, { routes }: CompiledUrls): boolean {
  return trustedProxies === null && routes.some(({ options }) => options.cached !== undefined)
}

/** Forgets what was cached: what it was made from may have changed without a word. */
export function forgetCaches({ values, pages }: Backends): void {
  values.forgetAll()
  pages.forgetAll()
}

function pagesOf(
  config: SiteConfig,
  backends: Backends,
  log: Log,
): NonNullable<DispatchOptions['pages']> {
  const cache = new PageCache({
    store: backends.pages,
    variants: backends.pageVariants,
    heads: createHeads(securityHeaders(config.securityHeaders)),
    compression: config.compression,
    log,
  })
  return (route, inner) => cache.around(route, inner)
}

function staticUrlsOf(config: SiteConfig, { files }: Backends, options: AppOptions): StaticUrls {
  const { log, fingerprints = true } = options
  return createStaticUrls({
    prefixes: config.static.map(({ prefix }) => prefix),
    find: (path) => files.staticUrl(path, fingerprints),
    log,
  })
}

/**
 * `uwas dev`: serves a site to its developer and follows every change. Gets the command line's flags,
 * leaves the exit code. Called by `cli.ts`.
 */
import {
  type App,
  type Backends,
  createApp,
  forgetCaches,
  openBackends,
  setHeaderLimit,
} from '../app.ts'
import { isCodedError, withCode } from '../core/errors.ts'
import { describeError, type Log } from '../core/log.ts'
import { type Reply, text } from '../http/reply.ts'
import type { Request } from '../http/request.ts'
import { securityHeaders } from '../http/security-headers.ts'
import { beginStatementGeneration } from '../model/statement-registry.ts'
import { beginTableGeneration } from '../model/table/registry.ts'
import { beginMetricGeneration } from '../observe/metrics/site-metrics.ts'
import { listen } from '../server/server.ts'
import { openTls } from '../server/tls/open-tls.ts'
import type { SiteConfig } from '../was/config.ts'
import { DEFAULT_TLS_PORT } from '../was/port.ts'
import { devCertificate } from './dev/certificate.ts'
import { debugPage } from './dev/debug-page.ts'
import { createLive, type Live } from './dev/live.ts'
import { isOwnHost } from './dev/own-host.ts'
import { servePages, withoutPages } from './dev/pages.ts'
import { type ChangeKind, watchSite } from './dev/watch.ts'
import { exitOnSignals, refuseUpgrades, untilEnd } from './lifecycle.ts'
import { createCommandLog } from './log.ts'
import { serverUrl } from './server-url.ts'
import { loadServedSite, type SiteFlags } from './site.ts'
import { showPath } from './site-place.ts'
import { withoutLoadNumbers } from './site-url.ts'

/** Error pages of development show source code: only this machine sees them unless the user says so. */
const DEV_HOST = '127.0.0.1'
/** A statement that takes so long in development is shown with its plan. */
const SLOW_MS = 100

export interface DevFlags extends SiteFlags {
  /** The port for TLS; true: the usual one. */
  readonly tls?: number | true | undefined
}

export async function devCommand(flags: DevFlags): Promise<number> {
  const log = createCommandLog()
  const config = await loadServedSite(flags)
  setHeaderLimit(config)
  const host = config.host ?? DEV_HOST
  exitOnSignals()
  refuseUpgrades(log, 'uwas dev is not for that')
  const tls = flags.tls === undefined ? null : await openDevTls(flags.tls, config, log)
  const backends = await openBackends({ ...config, timings: true, status: null }, log, {
    refusesRepeats: true,
    slowStatementMs: SLOW_MS,
  })
  try {
    const live = createLive(host)
    const middleware = [live.middleware, servePages(backends.files)]
    const build = async (next: SiteConfig): Promise<App> => {
      const app = await createApp(next, backends, {
        isStrict: true,
        log,
        middleware,
        fingerprints: false,
        debugPage: debugPageFor(host, next),
      })
      return { ...app, files: withoutPages(app.files) }
    }
    const first = await build(config)
    const server = await listen(first, {
      host,
      port: config.port,
      headers: securityHeaders(config.securityHeaders),
      tls,
    })
    const { port, tlsPort } = server
    const options = { flags, first, backends, live, log, build, use: server.use }
    let follow: (kinds: ReadonlySet<ChangeKind>) => void = () => {}
    const watcher = await watchSite(config, { log, onChange: (kinds) => follow(kinds) })
    follow = createFollower({ ...options, watchFolders: watcher.follow })
    const urls = [serverUrl(host, port)]
    if (tlsPort !== null) urls.push(serverUrl(host, tlsPort, 'https'))
    log.info(`serving ${showPath(config.root)} for development on ${urls.join(' and ')}`)
    return await untilEnd(async (graceMs) => {
      await watcher.close()
      live.close()
      await server.close({ graceMs })
      await backends.close()
    }, log)
  } catch (error) {
    await backends.close()
    throw error
  }
}

/** By TLS with a certificate for this machine, whatever the configuration has for others. No HSTS: it would stay with localhost. */
async function openDevTls(
  port: number | true,
  config: SiteConfig,
  log: Log,
): Promise<Awaited<ReturnType<typeof openTls>>> {
  const { authorityFile, certFile, keyFile } = await devCertificate()
  log.info(
    `trust ${authorityFile} in your browser, as an authority for web sites; or curl --cacert ${authorityFile}`,
  )
  return await openTls(
    {
      port: port === true ? (config.tls?.port ?? DEFAULT_TLS_PORT) : port,
      certificates: [{ certFile, keyFile, passphrase: null, names: null }],
      acme: null,
      policy: 'intermediate',
      unknownNames: 'first',
      listen: null,
      http2: config.tls?.http2 ?? true,
      redirect: false,
      publicPort: null,
      hsts: null,
    },
    log,
  )
}

/** Its own addresses: 127.0.0.0/8 and ::1. */
const LOOPBACK = /^(?:127\.\d+\.\d+\.\d+|::1)$/

/** Strangers get no source code, here as little as from development's own paths. */
function debugPageFor(host: string, config: SiteConfig): (req: Request, error: unknown) => Reply {
  return (req, error) =>
    isOwnHost(req.header('host'), host) && LOOPBACK.test(req.remoteAddress)
      ? debugPage(req, error, config)
      : text('500: the error is printed where uwas dev runs\n', { status: 500 })
}

interface FollowOptions {
  readonly flags: SiteFlags
  readonly first: App
  readonly backends: Backends
  readonly live: Live
  readonly log: Log
  readonly build: (config: SiteConfig) => Promise<App>
  readonly use: (app: App) => void
  /** Takes the folders of a configuration that was loaded anew. */
  readonly watchFolders: (config: SiteConfig) => void
}

/** Applies changes one burst after the other; what fails is shown, and the last that worked goes on. */
function createFollower(options: FollowOptions): (kinds: ReadonlySet<ChangeKind>) => void {
  const { flags, backends, live, log } = options
  let app = options.first
  let last = Promise.resolve()
  /** What has changed and does not work yet: a later change of something else must not hide it. */
  let owed: ReadonlySet<ChangeKind> = new Set()

  async function rebuild(): Promise<void> {
    beginStatementGeneration()
    beginTableGeneration()
    beginMetricGeneration()
    const config = await loadServedSite(flags)
    for (const key of restartKeys(app.config, config)) {
      log.warn(`the change of "${key}" takes effect when uwas dev is started again`)
    }
    options.watchFolders(config)
    app = await options.build(config)
    options.use(app)
  }

  async function apply(changed: ReadonlySet<ChangeKind>): Promise<void> {
    const from = performance.now()
    const kinds = new Set([...owed, ...changed])
    try {
      if (kinds.has('files') || kinds.has('styles')) await backends.files.refresh()
      if (kinds.has('templates') && !kinds.has('code')) app.templates?.reload()
      forgetCaches(backends)
      if (kinds.has('code')) await rebuild()
      owed = new Set()
      log.info(`${[...kinds].join(', ')} reloaded in ${Math.round(performance.now() - from)} ms`)
      if (kinds.size === 1 && kinds.has('styles')) live.restyle()
      else live.reload()
    } catch (error) {
      owed = kinds
      const message = withoutLoadNumbers(
        isCodedError(error) ? withCode(error) : describeError(error),
      )
      log.error(`the change does not work yet, the site before it is served\n${message}`)
      live.fail(message)
    }
  }

  return (kinds) => {
    last = last.then(() => apply(kinds))
  }
}

/** What the backends and the listening socket were made from; they outlive a reload of the code. */
function restartKeys(before: SiteConfig, after: SiteConfig): string[] {
  const keys = [
    'static',
    'files',
    'cache',
    'database',
    'stateDir',
    'host',
    'port',
    'listen',
    'timings',
    'accessLog',
  ] as const
  const limits = before.limits.maxHeaderBytes === after.limits.maxHeaderBytes ? [] : ['limits']
  const changed = keys.filter((key) => JSON.stringify(before[key]) !== JSON.stringify(after[key]))
  return [...changed, ...limits]
}

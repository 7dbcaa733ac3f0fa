/**
 * `uwas serve --workers 0`: serves in this very process until a signal ends it. Gets the command line, leaves the
 * exit code. Called by `serve.ts`.
 */
import { join, resolve } from 'node:path'
import { createApp, openBackends, setHeaderLimit } from '../app.ts'
import { Deferred } from '../core/deferred.ts'
import type { Log } from '../core/log.ts'
import { securityHeaders } from '../http/security-headers.ts'
import { measureOrders, measureServer } from '../observe/metrics/server-metrics.ts'
import type { StatusListener } from '../observe/status/listener.ts'
import { connectionRules } from '../server/connection-limits.ts'
import { listen } from '../server/server.ts'
import { keepCertificates } from '../server/tls/acme/keep-certificates.ts'
import { openTls } from '../server/tls/open-tls.ts'
import { frontAddresses, socketAddresses } from '../supervisor/addresses.ts'
import { openSiteStatus } from '../supervisor/open-status.ts'
import { OwnFacts } from '../supervisor/own-facts.ts'
import { claimPidFile, PID_FILE, readPidFile } from '../supervisor/pid-file.ts'
import type { ServiceManager } from '../supervisor/service-manager.ts'
import type { SiteConfig } from '../was/config.ts'
import { LEAVING } from '../was/health/leaving.ts'
import { exitOnSignals, refuseUpgrades, untilEnd } from './lifecycle.ts'
import { createCommandLog, logToFileAlone } from './log.ts'
import { servedSite } from './served-site.ts'
import { servingLine } from './serving-line.ts'
import type { FolderFlags } from './site.ts'
import { showPath } from './site-place.ts'
import { readVersion } from './version.ts'

export async function serveHere(
  dir: string | undefined,
  flags: FolderFlags,
  manager: ServiceManager,
): Promise<number> {
  const log = createCommandLog()
  const config = await servedSite(dir, flags)
  const pidFile = resolve(flags.pidFile ?? join(config.stateDir, PID_FILE))
  // One that cannot be is told before anything is opened.
  readPidFile(pidFile)
  setHeaderLimit(config)
  exitOnSignals()
  refuseUpgrades(log, 'that needs workers')
  const facts = new OwnFacts(readVersion(), showPath(config.root))
  const status = await openStatusOf(config, facts, log)
  const tls = await openTls(config.tls, log)
  const addresses = socketAddresses(config)
  const prepared = new Deferred<void>()
  manager.extendUntil(prepared.promise)
  const backends = await openBackends(config, log)
  try {
    const app = await createApp(config, backends, {
      log,
      onOutage: 'wait',
      onMigrated: () => prepared.resolve(),
    })
    const server = await listen(app, {
      port: config.port,
      addresses: frontAddresses(addresses.filter(({ isTls }) => !isTls)),
      headers: securityHeaders(config.securityHeaders),
      connections: connectionRules(config),
      countsConnections: backends.metrics !== null,
      tls: tls && { ...tls, addresses: frontAddresses(addresses.filter(({ isTls }) => isTls)) },
    })
    facts.serve(app, server.requestCount)
    if (backends.metrics !== null) measureServer(backends.metrics, server)
    // Without a handler it would open Node's debugger.
    process.on('SIGUSR1', () => backends.logs.reopen())
    const { workers, file, root } = config
    const ports = [...server.ports, ...server.tlsPorts]
    const isSite = file !== null
    tellPid(pidFile, log)
    const { counts } = app
    const served = addresses.map((one, i) => ({ ...one, port: ports[i] ?? one.port }))
    log.info(servingLine({ name: showPath(root), isSite, counts, addresses: served, workers: 1 }))
    logToFileAlone()
    manager.ready()
    const keeper = keepCertificates(config.tls, log)
    if (backends.metrics !== null && keeper !== null) measureOrders(backends.metrics, keeper)
    return await untilEnd(
      async (graceMs) => {
        manager.stopping()
        await keeper?.close()
        await server.close({ graceMs })
        await backends.close()
        await status?.close()
      },
      log,
      {
        graceMs: workers.graceMs,
        delayMs: workers.stopDelayMs,
        leave: () => void app.services.provide(LEAVING, true),
      },
    )
  } catch (error) {
    await status?.close()
    await backends.close()
    throw error
  }
}

async function openStatusOf(
  { status }: SiteConfig,
  facts: OwnFacts,
  log: Log,
): Promise<StatusListener | null> {
  return status === null ? null : await openSiteStatus(status, () => status.token, facts, log)
}

/** From now on `uwas stop` finds it. It serves without that, too. */
function tellPid(file: string, log: Log): void {
  try {
    claimPidFile(file, '', log)
  } catch (error) {
    log.warn(`"uwas stop" cannot find this server: ${(error as Error).message}`)
  }
}

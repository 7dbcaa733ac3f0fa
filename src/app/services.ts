/** The services of a site that its backends and its configuration alone decide. Called by `app.ts`. */
import { Services } from '../core/services.ts'
import { createPrivateFiles, PRIVATE_FILES } from '../files/send-file.ts'
import { TRUSTED_PROXIES, TrustedProxies } from '../http/forwarded.ts'
import { DATABASE, type Database } from '../model/database.ts'
import type { Native } from '../native/skin.ts'
import { TRACES, type TraceLog } from '../observe/trace-log.ts'
import { PROXY_SENDERS, ProxySenders } from '../server/proxy-senders.ts'
import type { SiteConfig } from '../was/config.ts'
import { UPLOADS, type Uploads } from '../was/upload/multipart.ts'

/** What outlives a reload. */
interface Backing {
  /** For files that views send. */
  readonly native: Native
  readonly database: Database | null
  readonly uploads: Uploads
  readonly traces: TraceLog | null
}

export function servicesOf(
  config: SiteConfig,
  { database, traces, native, uploads }: Backing,
): Services {
  const services = new Services()
    .provide(UPLOADS, uploads)
    .provide(PRIVATE_FILES, createPrivateFiles(native, config.privateFiles))
  if (config.trustedProxies !== null) {
    services.provide(TRUSTED_PROXIES, new TrustedProxies(config.trustedProxies))
  }
  if (config.proxyProtocol !== null) {
    services.provide(PROXY_SENDERS, new ProxySenders(config.proxyProtocol))
  }
  if (database !== null) services.provide(DATABASE, database)
  if (traces !== null) services.provide(TRACES, traces)
  return services
}

/** The certificates of a configuration, read and followed, as `server.ts` takes them. Called by what serves a site. */
import type { Log } from '../../core/log.ts'
import type { SiteTls } from '../../was/tls.ts'
import type { ListenOptions } from '../server.ts'
import { Certificates } from './certificates.ts'

/**
 * Null where the site has no TLS. The log hears what should be looked at. Rejects with UWAS_ERR_SERVER_CERTIFICATE,
 * _CERTIFICATE_NAME.
 */
export async function openTls(
  tls: SiteTls | null,
  log: Log,
): Promise<NonNullable<ListenOptions['tls']> | null> {
  if (tls === null) return null
  const { port, policy, http2, redirect, publicPort, hsts } = tls
  const certificates = await Certificates.load(tls.certificates, policy)
  for (const warning of certificates.all.flatMap(({ warnings }) => warnings)) log.warn(warning)
  certificates.watch(log)
  return { port, certificates, http2, redirect, publicPort, hsts }
}

/** The certificates of a configuration, read and followed, as `server.ts` takes them. Called by what serves a site. */
import type { Log } from '../../core/log.ts'
import type { SiteTls } from '../../was/tls.ts'
import { AcmeChallenges } from '../acme-challenges.ts'
import type { ListenOptions } from '../server.ts'
import { findAcmeClient } from './acme/client.ts'
import { challengesDir, openStore } from './acme/store.ts'
import { readCertificateFile } from './certificate.ts'
import { Certificates } from './certificates.ts'
import { TicketKeys, type TicketSeed } from './ticket-keys.ts'

/**
 * Null where the site has no TLS. `seed`: of session tickets that other processes have given, too. The log hears what should be looked at. Rejects with UWAS_ERR_SERVER_CERTIFICATE,
 * _CERTIFICATE_NAME, _ACME_CLIENT, _ACME_STATE. What `tls.acme` says is ordered by `keepCertificates`.
 */
export async function openTls(
  tls: SiteTls | null,
  log: Log,
  seed?: TicketSeed | null,
): Promise<NonNullable<ListenOptions['tls']> | null> {
  if (tls === null) return null
  const { port, policy, http2, unknownNames, redirect, publicPort, hsts, acme } = tls
  if (acme !== null) {
    findAcmeClient(acme.root)
    if (acme.caFile !== null) await readCertificateFile(acme.caFile)
    await openStore(acme)
  }
  const certificates = await Certificates.load(tls.certificates, policy)
  for (const warning of certificates.all.flatMap(({ warnings }) => warnings)) log.warn(warning)
  certificates.watch(log)
  const tickets = new TicketKeys(seed ?? undefined)
  const refusesUnknown = unknownNames === 'refuse'
  const challenges = acme === null ? null : new AcmeChallenges(challengesDir(acme))
  const secure = { port, certificates, http2, refusesUnknown, tickets, challenges }
  return { ...secure, redirect, publicPort, hsts }
}

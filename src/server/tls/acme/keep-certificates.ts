/** Starts to look after the certificates of a configuration. Called by the one process of a server that does. */
import type { Log } from '../../../core/log.ts'
import { STAGING } from '../../../was/acme.ts'
import type { SiteTls } from '../../../was/tls.ts'
import { findAcmeClient } from './client.ts'
import { AcmeKeeper, type Kept } from './keeper.ts'
import { runIssue } from './run-issue.ts'

/** Who looks after the certificates. */
export interface CertificateKeeper {
  /** What has been tried, by name. */
  kept(): readonly Kept[]
  /** Gives up an order that is being made; what is served goes on. Never rejects. */
  close(): Promise<void>
}

/**
 * Orders and renews what `tls.acme` says, below `stateDir`; `openTls` finds it there. Null where it says nothing. Closed
 * by who has called it. Throws UWAS_ERR_SERVER_ACME_CLIENT.
 */
export function keepCertificates(tls: SiteTls | null, log: Log): CertificateKeeper | null {
  const acme = tls?.acme ?? null
  if (acme === null) return null
  if (acme.directory === STAGING) {
    log.warn("certificates of 'letsencrypt-staging' are for trials: no browser believes them")
  }
  const keeper = new AcmeKeeper({ acme, client: findAcmeClient(acme.root), issue: runIssue, log })
  keeper.start()
  return keeper
}

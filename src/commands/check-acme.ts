/** What `uwas check` says of certificates that the site orders itself. Called by `check.ts`. */
import { accessSync, constants, existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { createError } from '../core/errors.ts'
import { findAcmeClient } from '../server/tls/acme/client.ts'
import { readCertificateFile } from '../server/tls/certificate.ts'
import { addressesOf, nameOf } from '../was/address.ts'
import type { SiteConfig } from '../was/config.ts'
import type { Findings } from './check-findings.ts'

/** Where authorities ask (RFC 8555 section 8.3). */
const HTTP_PORT = 80

/** `missing`: names that no certificate has come for. Throws what would end the start. */
export async function checkAcme(
  config: SiteConfig,
  missing: readonly string[],
  { warnings, notes }: Findings,
): Promise<void> {
  const acme = config.tls?.acme ?? null
  if (acme === null) return
  findAcmeClient(acme.root)
  if (acme.caFile !== null) await readCertificateFile(acme.caFile)
  checkFolder(acme.dir)
  const addresses = addressesOf(config)
  if (!addresses.some(({ path, port }) => path === null && port === HTTP_PORT)) {
    warnings.push(
      `tls.acme: authorities ask at port 80 of each name, and the site listens in clear on ${addresses.map(nameOf).join(', ')}: that port has to lead there`,
    )
  }
  for (const name of missing) {
    notes.push(`no certificate for ${name} yet: it is ordered from ${acme.directory} at the start`)
  }
}

/** Or where it would be made. */
function checkFolder(dir: string): void {
  let at = dir
  while (!existsSync(at) && dirname(at) !== at) at = dirname(at)
  try {
    // Of what is no folder there is none either.
    accessSync(`${at}/.`, constants.R_OK | constants.W_OK)
  } catch (error) {
    const problem = (error as Error).message
    throw createError('UWAS_ERR_SERVER_ACME_STATE', { dir, problem }, error)
  }
}

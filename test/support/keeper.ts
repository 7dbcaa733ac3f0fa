/** Who looks after certificates, in this process: with a server that answers challenges, and what it has put away. */
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import { createLog } from '../../src/core/log.ts'
import { findAcmeClient } from '../../src/server/tls/acme/client.ts'
import { issueCertificate } from '../../src/server/tls/acme/issue.ts'
import { AcmeKeeper, type KeeperOptions } from '../../src/server/tls/acme/keeper.ts'
import { openStore } from '../../src/server/tls/acme/store.ts'
import { acmeOf, certificateFile, type SiteAcme } from '../../src/was/acme.ts'
import { eventually } from './supervised.ts'

/** What everything here is for. */
export const NAME = 'www.example.org'

/** As `acmeOf` makes it, with a folder that goes with the test. */
export async function acmePlace(t: Test, more: Partial<SiteAcme> = {}): Promise<SiteAcme> {
  const given = { agreeToTerms: true, names: [NAME], directory: 'https://127.0.0.1/' } as const
  const root = t.testdir({})
  const site = { root, stateDir: join(root, 'state'), allowedHosts: undefined }
  const acme = { ...(acmeOf(given, site) as SiteAcme), ...more }
  await openStore(acme)
  return acme
}

/** Runs until the test ends. */
export function keep(t: Test, acme: SiteAcme, more: Partial<KeeperOptions> = {}) {
  const lines: string[] = []
  const log = createLog((line) => lines.push(line))
  const client = findAcmeClient(acme.root)
  const keeper = new AcmeKeeper({ acme, client, issue: issueCertificate, log, ...more })
  t.teardown(() => keeper.close())
  keeper.start()
  const heard = (pattern: RegExp) =>
    eventually(`the log says ${pattern}`, () => lines.find((line) => pattern.test(line)))
  return { keeper, lines, heard }
}

/** What has come for a name; its key and it are one file. */
export function keptCertificate(acme: SiteAcme, name = NAME): X509Certificate {
  const pem = readFileSync(certificateFile(acme, name), 'utf8')
  return new X509Certificate(pem.slice(pem.indexOf('-----BEGIN CERT')))
}

/**
 * What uwas itself puts into a site's requests and around its views, by its configuration: keys, sessions, proofs of
 * forms, nonces, hosts. Called by `app.ts`.
 */
import type { Services } from '../core/services.ts'
import { noncePolicies } from '../http/security-headers.ts'
import { SIGNER, Signer } from '../http/signing.ts'
import type { Middleware } from '../http/view.ts'
import { ACCOUNTS, Accounts } from './accounts/accounts.ts'
import { ALLOWED_HOSTS, AllowedHosts, refuseOtherHosts } from './allowed-hosts.ts'
import type { SiteConfig } from './config-types.ts'
import { NONCE_POLICIES } from './csp.ts'
import { CSRF } from './csrf/csrf.ts'
import { addLateFields } from './late-fields.ts'
import { PAGE_TAGS, PageTags } from './page-tags.ts'
import { createSessions } from './session/create.ts'
import { keepSessions, SESSIONS } from './session/open.ts'

/** The database, where sessions need it, is there already. `isDevelopment`: refusals say why, and loopback is allowed. */
export function provideOwn(config: SiteConfig, services: Services, isDevelopment: boolean): void {
  const { secrets, allowedHosts, unknownHosts, csrf, sessions, accounts } = config
  const policies = noncePolicies(config.securityHeaders)
  if (secrets.length > 0) services.provide(SIGNER, new Signer(secrets))
  if (policies !== null) services.provide(NONCE_POLICIES, policies)
  if (hasPageTags(config))
    services.provide(PAGE_TAGS, (req, fragments) => new PageTags(req, fragments))
  if (allowedHosts !== null) {
    services.provide(ALLOWED_HOSTS, new AllowedHosts(allowedHosts, isDevelopment, unknownHosts))
  }
  if (csrf !== null) services.provide(CSRF, { ...csrf, isTold: isDevelopment })
  if (sessions !== null) services.provide(SESSIONS, createSessions(sessions, services))
  if (accounts !== null) services.provide(ACCOUNTS, new Accounts(accounts))
}

/** What runs around the site's own middleware. */
export function ownMiddleware(config: SiteConfig, services: Services): Middleware[] {
  const hosts = services.find(ALLOWED_HOSTS)
  const sessions = services.find(SESSIONS)
  return [
    ...(hosts === undefined || config.trustedProxies === null ? [] : [refuseOtherHosts(hosts)]),
    ...(hasPageTags(config) ? [addLateFields] : []),
    ...(sessions === undefined ? [] : [keepSessions(sessions)]),
  ]
}

/** Where there are neither keys nor nonces, no reply gets anything later. */
function hasPageTags({ secrets, securityHeaders }: SiteConfig): boolean {
  return secrets.length > 0 || noncePolicies(securityHeaders) !== null
}

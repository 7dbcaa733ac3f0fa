/**
 * Certificates that the site orders itself: the key `tls.acme`, as its author writes it and complete. Read by `tls.ts`;
 * orders are made by `server/tls/acme/`.
 */
import { createHash } from 'node:crypto'
import { isIP } from 'node:net'
import { join, resolve } from 'node:path'
import * as z from 'zod'
import { isLoopback } from './allowed-hosts.ts'
import type { SiteCertificate } from './tls.ts'

/** Who the site is to a certificate authority that wants to know beforehand (RFC 8555 section 7.3.4). */
export interface ExternalAccountOptions {
  readonly keyId: string
  /** In base64url, as the authority gives it; from the environment. */
  readonly hmacKey: string
}

/** Certificates of an authority that speaks ACME (RFC 8555), by HTTP-01: it asks the site itself, at port 80. */
export interface AcmeOptions {
  /** That the terms of service of the authority are agreed to. */
  readonly agreeToTerms: true
  /** `'letsencrypt'`, `'letsencrypt-staging'` for trials, or the URL of a directory (section 7.1.1). Default `'letsencrypt'`. */
  readonly directory?: string | undefined
  /** Each gets a certificate of its own. Default: those of `allowedHosts` without `*`, but for `localhost`. */
  readonly names?: readonly string[] | undefined
  /** Where the authority writes to. Default: it has no address. */
  readonly email?: string | undefined
  /** Of the certificates' keys: `'ecdsa'` (P-256) or `'rsa'` (2048 bits). Default `'ecdsa'`. */
  readonly keyType?: 'ecdsa' | 'rsa' | undefined
  /** Roots that the authority's own TLS is believed by, besides the usual ones: a PEM file. Default none. */
  readonly caFile?: string | undefined
  /** Default: the authority takes everybody. */
  readonly externalAccount?: ExternalAccountOptions | undefined
}

/** `AcmeOptions`, complete. */
export interface SiteAcme {
  /** URL. */
  readonly directory: string
  readonly names: readonly string[]
  readonly email: string | null
  readonly keyType: 'ecdsa' | 'rsa'
  readonly caFile: string | null
  readonly externalAccount: ExternalAccountOptions | null
  /** Of all authorities; absolute. */
  readonly dir: string
  /** What is kept of this one: account, certificates. */
  readonly authorityDir: string
  /** Whose packages are looked for first. */
  readonly root: string
}

/** Its certificates are for trials: nobody believes them. */
export const STAGING = 'https://acme-staging-v02.api.letsencrypt.org/directory'
const DIRECTORIES: Readonly<Record<string, string>> = {
  letsencrypt: 'https://acme-v02.api.letsencrypt.org/directory',
  'letsencrypt-staging': STAGING,
}

const DNS_NAME =
  /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/
/** Top-level names that stand for nothing in the public DNS (RFC 6761, 6762, 7686, 9476; ICANN's `.internal`). */
const NOT_PUBLIC =
  /(?:^|\.)(?:localhost|local|internal|lan|home|test|invalid|example|onion|alt|arpa)$/
/** Each is an order of its own, one after the other. */
const MOST_NAMES = 100

const name = z
  .string()
  .refine((value) => !value.includes('*'), 'has a *: HTTP-01 is for single names; list them')
  .regex(DNS_NAME, 'is no name like example.org: small ASCII letters, "xn--" for others')
  .refine((value) => isIP(value) === 0, 'is an address; certificates are ordered for names')

const secret = z.custom<string>(
  (value) => typeof value === 'string' && value !== '',
  'is no text; set it from the environment',
)

export const externalAccountSchema = z.strictObject({ keyId: secret, hmacKey: secret })

export const acmeSchema = z.strictObject({
  agreeToTerms: z.custom<true>(
    (value) => value === true,
    "has to be true: the authority's terms of service are agreed to by whoever runs the site",
  ),
  directory: z
    .string()
    .refine(
      (value) => Object.hasOwn(DIRECTORIES, value) || isSecure(value),
      `has to be ${Object.keys(DIRECTORIES)
        .map((one) => `'${one}'`)
        .join(', ')} or the https:// URL of a directory`,
    )
    .optional(),
  names: z.array(name).min(1).max(MOST_NAMES).optional(),
  email: z
    .string()
    .regex(/^[^\s@]+@[^\s@]+$/, 'is no address like admin@example.org')
    .optional(),
  keyType: z.literal(['ecdsa', 'rsa']).optional(),
  caFile: z.string().regex(/./, 'is empty; name a file').optional(),
  externalAccount: externalAccountSchema.optional(),
})

/** What the keys say together; `allowedHosts` is the site's. */
export function acmeProblems(
  given: AcmeOptions | undefined,
  allowedHosts: readonly string[] | undefined,
): string[] {
  if (given === undefined) return []
  const names = namesOf(given, allowedHosts)
  const from = given.names === undefined ? 'allowedHosts' : 'tls.acme.names'
  if (names.length === 0) {
    return [
      'tls.acme has no name to order a certificate for; list them in tls.acme.names, or in allowedHosts',
    ]
  }
  const isPublic = given.directory === undefined || Object.hasOwn(DIRECTORIES, given.directory)
  const strange = isPublic ? names.filter((one) => !one.includes('.') || NOT_PUBLIC.test(one)) : []
  return [
    ...strange.map(
      (one) => `${from} has ${one}, which is no name of the public DNS: nobody certifies it`,
    ),
    ...names
      .filter((one, i) => names.indexOf(one) !== i)
      .map((one) => `${from} has ${one} twice; once is enough`),
  ]
}

export function acmeOf(
  given: AcmeOptions | undefined,
  site: {
    readonly root: string
    readonly stateDir: string
    readonly allowedHosts: readonly string[] | undefined
  },
): SiteAcme | null {
  if (given === undefined) return null
  const { directory: wanted = 'letsencrypt', caFile } = given
  const directory = DIRECTORIES[wanted] ?? wanted
  const dir = join(site.stateDir, 'acme')
  return {
    directory,
    names: namesOf(given, site.allowedHosts),
    email: given.email ?? null,
    keyType: given.keyType ?? 'ecdsa',
    caFile: caFile === undefined ? null : resolve(site.root, caFile),
    externalAccount: given.externalAccount ?? null,
    dir,
    authorityDir: join(dir, Object.hasOwn(DIRECTORIES, wanted) ? wanted : folderOf(directory)),
    root: site.root,
  }
}

/** Where they will be. Key and certificate are one file, so that one rename replaces both. */
export function acmeCertificates(acme: SiteAcme): SiteCertificate[] {
  return acme.names.map((one) => {
    const file = certificateFile(acme, one)
    return { certFile: file, keyFile: file, passphrase: null, names: [one], awaits: one }
  })
}

export function certificateFile({ authorityDir }: SiteAcme, one: string): string {
  return join(authorityDir, `${one}.pem`)
}

function namesOf(given: AcmeOptions, allowedHosts: readonly string[] = []): readonly string[] {
  return (
    given.names ??
    allowedHosts.filter((host) => DNS_NAME.test(host) && isIP(host) === 0 && !isLoopback(host))
  )
}

/** Certificates of one authority are never taken for those of another. */
function folderOf(directory: string): string {
  const tag = createHash('sha256').update(directory).digest('hex').slice(0, 8)
  return `${new URL(directory).hostname.replace(/[^a-z0-9.-]/g, '_')}-${tag}`
}

function isSecure(text: string): boolean {
  return URL.canParse(text) && new URL(text).protocol === 'https:'
}

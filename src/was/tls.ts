/**
 * TLS of the site's own: the key `tls`, as its author writes it and complete. Read by `config.ts`; what is served with
 * it is made by the commands that serve.
 */
import { resolve } from 'node:path'
import * as z from 'zod'
import {
  type AcmeOptions,
  acmeCertificates,
  acmeOf,
  acmeProblems,
  acmeSchema,
  type SiteAcme,
} from './acme.ts'
import type { SiteAddress } from './address.ts'
import { tlsListenSchema } from './listen.ts'
import { DEFAULT_TLS_PORT } from './port.ts'
import { stateDirOf } from './state-dir.ts'

/** A certificate and its key, in PEM form. Both files are followed: a new pair is served without a restart. */
export interface CertificateOptions {
  /** The certificate and, behind it, those that lead to a root (`fullchain.pem`). */
  readonly certFile: string
  readonly keyFile: string
  /** Of an encrypted key; from the environment. Default: the key is not encrypted. */
  readonly passphrase?: string | undefined
  /** Which of its names it answers for. Default: all. */
  readonly names?: readonly string[] | undefined
}

/** Strict-Transport-Security (RFC 6797). */
export interface HstsOptions {
  /** How long browsers keep to https, in seconds. Default 31,536,000. */
  readonly maxAgeSeconds?: number | undefined
  /** Also for all hosts below the one of a reply. Default false. */
  readonly includeSubdomains?: boolean | undefined
  /** Says that browsers may have the host on their own lists; needs the two above. Default false. */
  readonly preload?: boolean | undefined
}

/** How the site is served by TLS. */
export interface TlsOptions {
  /** Port for https, 0 for any free one. Default 8443. */
  readonly port?: number | undefined
  /** Several addresses in place of `host` and `tls.port`: `['0.0.0.0:443', '[::]:443']`. Default: those two. */
  readonly listen?: readonly string[] | undefined
  /** One for each group of names; the first also for clients that name no host, or one that none is for. Default: those of `acme`. */
  readonly certificates?: readonly CertificateOptions[] | undefined
  /** Certificates that the site orders and renews itself. Default: it orders none. */
  readonly acme?: AcmeOptions | undefined
  /** `'intermediate'`: TLS 1.2 and 1.3; `'modern'`: 1.3 alone (Mozilla's recommendations). Default `'intermediate'`. */
  readonly policy?: 'intermediate' | 'modern' | undefined
  /**
   * Who asks for a name that no certificate is for, or for none, gets the first one, or no handshake at all
   * (`'refuse'`; by address only where a certificate is for addresses). Default `'first'`.
   */
  readonly unknownNames?: 'first' | 'refuse' | undefined
  /** Whether clients that can have HTTP/2, on the same port. Default true. */
  readonly http2?: boolean | undefined
  /**
   * Sends requests in clear to https with 308: for hosts of the site, but for its health and for challenges of a
   * certificate authority. Default true.
   */
  readonly redirect?: boolean | undefined
  /** The port of https as the world knows it, for redirects, where something maps it. Default `port`. */
  readonly publicPort?: number | undefined
  /** Browsers that were here by TLS never ask without it again. Default false. */
  readonly hsts?: boolean | HstsOptions | undefined
}

/** `CertificateOptions`, complete; paths absolute. */
export interface SiteCertificate {
  readonly certFile: string
  readonly keyFile: string
  /** Null: the key is not encrypted. */
  readonly passphrase: string | null
  /** Null: all that the certificate has. */
  readonly names: readonly string[] | null
  /** The name that it is ordered for: it may not be there yet. */
  readonly awaits?: string
}

/** `TlsOptions`, complete. */
export interface SiteTls {
  readonly port: number
  /** Null: the site's `host` and `port` are all. */
  readonly listen: readonly SiteAddress[] | null
  /** At least one; those of `acme` come last. */
  readonly certificates: readonly SiteCertificate[]
  /** Null: it orders none. */
  readonly acme: SiteAcme | null
  readonly policy: 'intermediate' | 'modern'
  readonly http2: boolean
  readonly unknownNames: 'first' | 'refuse'
  readonly redirect: boolean
  /** Null: the port that is listened on. */
  readonly publicPort: number | null
  /** Value of Strict-Transport-Security; null: none. */
  readonly hsts: string | null
}

const YEAR_SECONDS = 31_536_000

const file = z.string().regex(/./, 'is empty; name a file')
const name = z
  .string()
  .regex(
    /^(?:\*\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/,
    'is no name like example.org or *.example.org: small ASCII letters',
  )

/** It is not quoted. */
const passphrase = z.custom<string>(
  (value) => typeof value === 'string' && value !== '',
  'is no text; set it from the environment',
)

export const certificateSchema = z.strictObject({
  certFile: file,
  keyFile: file,
  passphrase: passphrase.optional(),
  names: z.array(name).min(1).optional(),
})

export const hstsSchema = z.strictObject({
  maxAgeSeconds: z.int().min(0).max(2_147_483_647).optional(),
  includeSubdomains: z.boolean().optional(),
  preload: z.boolean().optional(),
})

export const tlsSchema = z.strictObject({
  port: z.int().min(0).max(65_535).optional(),
  listen: tlsListenSchema.optional(),
  certificates: z.array(certificateSchema).min(1).optional(),
  acme: acmeSchema.optional(),
  policy: z.literal(['intermediate', 'modern']).optional(),
  unknownNames: z.literal(['first', 'refuse']).optional(),
  http2: z.boolean().optional(),
  redirect: z.boolean().optional(),
  publicPort: z.int().min(1).max(65_535).optional(),
  hsts: z.union([z.boolean(), hstsSchema]).optional(),
})

/** What of a configuration says how it is served by TLS. */
interface Secure {
  readonly tls?: TlsOptions | undefined
  readonly allowedHosts?: readonly string[] | undefined
  readonly stateDir?: string | undefined
}

/** What the keys say together. */
export function tlsProblems({ tls: given, allowedHosts }: Secure): string[] {
  if (given === undefined) return []
  const problems = acmeProblems(given.acme, allowedHosts)
  if (given.certificates === undefined && given.acme === undefined) {
    problems.push('tls has no certificate; name files in tls.certificates, or say tls.acme')
  }
  const { maxAgeSeconds = YEAR_SECONDS, includeSubdomains, preload } = hstsOf(given.hsts) ?? {}
  if (preload === true && (includeSubdomains !== true || maxAgeSeconds < YEAR_SECONDS)) {
    problems.push(
      `tls.hsts.preload needs includeSubdomains: true and maxAgeSeconds of ${YEAR_SECONDS} or more: the lists of browsers take nothing else`,
    )
  }
  return problems
}

export function tlsOf(
  { tls: given, allowedHosts, stateDir }: Secure,
  listen: readonly SiteAddress[] | null,
  root: string,
): SiteTls | null {
  if (given === undefined) return null
  const hsts = hstsOf(given.hsts)
  const acme = acmeOf(given.acme, { root, stateDir: stateDirOf(stateDir, root), allowedHosts })
  const own = (given.certificates ?? []).map((one) => ({
    certFile: resolve(root, one.certFile),
    keyFile: resolve(root, one.keyFile),
    passphrase: one.passphrase ?? null,
    names: one.names ?? null,
  }))
  return {
    port: given.port ?? DEFAULT_TLS_PORT,
    listen,
    certificates: [...own, ...(acme === null ? [] : acmeCertificates(acme))],
    acme,
    policy: given.policy ?? 'intermediate',
    unknownNames: given.unknownNames ?? 'first',
    http2: given.http2 ?? true,
    redirect: given.redirect ?? true,
    publicPort: given.publicPort ?? null,
    hsts: hsts === null ? null : hstsValue(hsts),
  }
}

function hstsOf(given: TlsOptions['hsts']): HstsOptions | null {
  if (given === undefined || given === false) return null
  return given === true ? {} : given
}

function hstsValue({ maxAgeSeconds, includeSubdomains, preload }: HstsOptions): string {
  const parts = [`max-age=${maxAgeSeconds ?? YEAR_SECONDS}`]
  if (includeSubdomains === true) parts.push('includeSubDomains')
  if (preload === true) parts.push('preload')
  return parts.join('; ')
}

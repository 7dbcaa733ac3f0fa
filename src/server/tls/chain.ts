/**
 * The order of a certificate chain: the certificates of a file come in, those to send leave, each certified by the
 * next (RFC 8446 section 4.4.2), with what was odd about the file. Called by `certificate.ts`.
 */
import { X509Certificate } from 'node:crypto'
import { rootCertificates } from 'node:tls'

export interface Chain {
  /** From the server's own certificate on; a root, which clients have themselves, is left out. */
  readonly certificates: readonly X509Certificate[]
  /** What clients may stumble over. */
  readonly warnings: readonly string[]
}

/** `leaf` is one of `all`, which are in the order of the file. */
export function orderChain(leaf: X509Certificate, all: readonly X509Certificate[]): Chain {
  const certificates = [leaf]
  const rest = new Set(all.filter((one) => one !== leaf))
  for (let last = leaf; !isSelfSigned(last); ) {
    const issuer = [...rest].find((one) => hasIssued(one, last))
    if (issuer === undefined) break
    rest.delete(issuer)
    certificates.push(issuer)
    last = issuer
  }
  const warnings: string[] = []
  const wanted = certificates.map((one, i) => one === all[i])
  if (wanted.includes(false)) {
    warnings.push(`its certificates are out of order, and are sent as ${listOf(certificates)}`)
  }
  if (rest.size > 0) {
    warnings.push(`what belongs to no chain of it is not sent: ${listOf([...rest])}`)
  }
  const last = certificates.at(-1) as X509Certificate
  if (isSelfSigned(last)) {
    if (certificates.length === 1) warnings.push('it is self-signed: browsers trust it nowhere')
    else certificates.pop()
  } else if (!isOfKnownRoot(last)) {
    warnings.push(
      `its chain ends at ${nameOf(last)}, whose issuer ${oneLine(last.issuer)} is neither in the file nor a root that Node knows; add the intermediate certificates behind it`,
    )
  }
  return { certificates, warnings }
}

/** `CN=example.org`, or all of its subject in one line. */
export function nameOf({ subject }: X509Certificate): string {
  return /^CN=.*$/m.exec(subject)?.[0] ?? (oneLine(subject) || 'a certificate without a subject')
}

/** Distinguished names have a line for each part. */
function oneLine(name: string): string {
  return (name ?? '').split('\n').join(', ')
}

function listOf(certificates: readonly X509Certificate[]): string {
  return certificates.map(nameOf).join(' → ')
}

function isSelfSigned(one: X509Certificate): boolean {
  return hasIssued(one, one)
}

function hasIssued(issuer: X509Certificate, one: X509Certificate): boolean {
  return one.checkIssued(issuer) && one.verify(issuer.publicKey)
}

let rootsBySubject: Map<string, X509Certificate[]> | null = null

function isOfKnownRoot(one: X509Certificate): boolean {
  rootsBySubject ??= readRoots()
  return rootsBySubject.get(one.issuer)?.some((root) => hasIssued(root, one)) ?? false
}

function readRoots(): Map<string, X509Certificate[]> {
  const bySubject = new Map<string, X509Certificate[]>()
  for (const pem of rootCertificates) {
    const root = new X509Certificate(pem)
    bySubject.set(root.subject, [...(bySubject.get(root.subject) ?? []), root])
  }
  return bySubject
}

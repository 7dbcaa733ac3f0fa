/**
 * One certificate and its key: the paths of their files come in, what Node's `tls` serves with leaves, and all that
 * can be wrong with them is said first. Called by `certificates.ts` and by `uwas check`.
 */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { isIP } from 'node:net'
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls'
import { createError } from '../../core/errors.ts'
import { nameOf, orderChain } from './chain.ts'
import { policyOptions, type TlsPolicy } from './policy.ts'

/** Where a certificate is, complete. */
export interface CertificateFiles {
  readonly certFile: string
  readonly keyFile: string
  /** Null: the key is not encrypted. */
  readonly passphrase: string | null
  /** Null: all that the certificate has. */
  readonly names: readonly string[] | null
  /** The name that it is ordered for: until it comes there is none, and no mistake in that. */
  readonly awaits?: string
}

/** A certificate that can be served. */
export interface Certificate {
  /** Its certificate file, for messages. */
  readonly file: string
  /** The names that it answers for: small letters, `*.` in front of wildcard ones. */
  readonly names: readonly string[]
  /** Whether it is for addresses, too, which no client names in its handshake. */
  readonly hasAddresses: boolean
  readonly context: SecureContext
  /** What `context` is made of. */
  readonly material: SecureContextOptions
  readonly validFromMs: number
  readonly validToMs: number
  /** SHA-256 of it, in hexadecimal pairs, as openssl and browsers tell it. */
  readonly fingerprint: string
  /** What works, and should be looked at all the same. */
  readonly warnings: readonly string[]
  /** Whether clients that ask for this name, or address, believe it. */
  covers(name: string): boolean
}

const BLOCK =
  /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----[\s\S]*?-----END (?:TRUSTED |X509 )?CERTIFICATE-----/g
/** Extended key usages (RFC 5280 section 4.2.1.12): servers, and any. */
const SERVER_USAGES = ['1.3.6.1.5.5.7.3.1', '2.5.29.37.0']
/** A name as ASCII, with `*` as a whole first label at most. */
const DNS_NAME = /^(?:\*\.)?[a-z0-9_](?:[a-z0-9_-]*)(?:\.[a-z0-9_-]+)*$/
/** Of the CA/Browser Forum's baseline requirements, section 6.1.5. */
const RSA_BITS = 2048
const READABLE_BY_OTHERS = 0o004

/** Rejects with UWAS_ERR_SERVER_CERTIFICATE. */
export async function loadCertificate(
  files: CertificateFiles,
  policy: TlsPolicy,
  nowMs = Date.now(),
): Promise<Certificate> {
  const { certFile, keyFile, passphrase } = files
  const found = await readCertificateFile(certFile)
  const keyText = await read(keyFile)
  const key = readKey(keyFile, keyText, passphrase)
  const leaf = found.find((one) => one.checkPrivateKey(key))
  if (leaf === undefined) {
    const problem = `the key in ${keyFile} is not that of ${found.map(nameOf).join(' or ')}; give each certificate the key that it was made with`
    throw refuse(certFile, problem)
  }
  const validity = checkValidity(certFile, leaf, nowMs)
  checkUsage(certFile, leaf)
  const { certificates, warnings } = orderChain(leaf, found)
  // The chain of one that the site has ordered is the authority's, and its key this process's own.
  const all = files.awaits === undefined ? [...warnings, ...(await keyWarnings(keyFile))] : []
  const cert = certificates.map((one) => one.toString()).join('')
  const material = { cert, key: keyText, ...(passphrase !== null && { passphrase }) }
  const names = namesOf(files, leaf)
  return {
    file: certFile,
    names,
    hasAddresses: isForAddresses(leaf),
    context: contextOf(certFile, { ...policyOptions(policy), ...material }),
    material,
    ...validity,
    fingerprint: leaf.fingerprint256,
    warnings: all.map((one) => `${certFile}: ${one}`),
    covers: (name) => covers(leaf, names, name),
  }
}

/** The certificates of a PEM file: one at least. Rejects with UWAS_ERR_SERVER_CERTIFICATE. */
export async function readCertificateFile(file: string): Promise<readonly X509Certificate[]> {
  return readCertificates(file, await read(file))
}

/** Whether one of `names`, as a certificate has them, stands for `name`: a wildcard for one label (RFC 6125 section 6.4.3). */
export function matchesName(names: readonly string[], name: string): boolean {
  const dot = name.indexOf('.')
  return names.includes(name) || (dot > 0 && names.includes(`*${name.slice(dot)}`))
}

function covers(leaf: X509Certificate, names: readonly string[], name: string): boolean {
  const address = name.startsWith('[') ? name.slice(1, -1) : name
  return isIP(address) === 0 ? matchesName(names, name) : leaf.checkIP(address) !== undefined
}

async function read(file: string): Promise<Buffer> {
  try {
    return await readFile(file)
  } catch (error) {
    throw refuse(file, readProblem(error as NodeJS.ErrnoException), error)
  }
}

function readProblem({ code, message }: NodeJS.ErrnoException): string {
  switch (code) {
    case 'ENOENT':
      return 'there is no such file'
    case 'EACCES':
      return `this user${process.getuid === undefined ? '' : ` (${process.getuid()})`} may not read it: let its group read it, and enter its folders (chgrp, chmod g+rX), again after each renewal`
    case 'EISDIR':
      return 'it is a folder; name the file'
    default:
      return message
  }
}

function readCertificates(file: string, bytes: Buffer): X509Certificate[] {
  const blocks = bytes.toString('latin1').match(BLOCK) ?? []
  if (blocks.length === 0) {
    throw refuse(file, 'it holds no certificate in PEM form ("-----BEGIN CERTIFICATE-----")')
  }
  return blocks.map((block, i) => {
    try {
      return new X509Certificate(block)
    } catch (error) {
      throw refuse(file, `its certificate ${i + 1} cannot be read: ${wordsOf(error)}`, error)
    }
  })
}

function readKey(file: string, bytes: Buffer, passphrase: string | null): KeyObject {
  const text = bytes.toString('latin1')
  if (!text.includes('PRIVATE KEY-----')) {
    throw refuse(file, 'it holds no private key in PEM form ("-----BEGIN PRIVATE KEY-----")')
  }
  const isEncrypted = /-----BEGIN ENCRYPTED |^Proc-Type: .*ENCRYPTED/m.test(text)
  if (isEncrypted && passphrase === null) {
    throw refuse(file, 'the key is encrypted; say its passphrase, from the environment')
  }
  try {
    return createPrivateKey({ key: bytes, ...(passphrase !== null && { passphrase }) })
  } catch (error) {
    const problem = isEncrypted ? 'the passphrase does not open it' : 'the key cannot be read'
    throw refuse(file, `${problem}: ${wordsOf(error)}`, error)
  }
}

function checkValidity(
  file: string,
  { validFrom, validTo }: X509Certificate,
  nowMs: number,
): Pick<Certificate, 'validFromMs' | 'validToMs'> {
  const validFromMs = Date.parse(validFrom)
  const validToMs = Date.parse(validTo)
  if (nowMs > validToMs) throw refuse(file, `it has expired: it was valid until ${validTo}`)
  if (nowMs < validFromMs) {
    throw refuse(file, `it is not valid before ${validFrom}; is the clock of this machine right?`)
  }
  return { validFromMs, validToMs }
}

function checkUsage(file: string, { keyUsage, publicKey }: X509Certificate): void {
  const bits = publicKey.asymmetricKeyDetails?.modulusLength
  if (bits !== undefined && bits < RSA_BITS) {
    throw refuse(file, `its RSA key has ${bits} bits, and browsers want ${RSA_BITS}`)
  }
  // As Node has it these are the extended ones; a certificate without any is for everything.
  const usages: readonly string[] | undefined = keyUsage
  if (usages === undefined || SERVER_USAGES.some((one) => usages.includes(one))) return
  throw refuse(file, 'it is not made for servers: its extended key usage has no serverAuth')
}

function namesOf({ certFile, names: wanted }: CertificateFiles, leaf: X509Certificate): string[] {
  const own = (leaf.subjectAltName ?? '')
    .split(', ')
    .filter((one) => one.startsWith('DNS:'))
    .map((one) => one.slice(4).toLowerCase())
    .filter((one) => DNS_NAME.test(one))
  if (wanted === null) {
    if (own.length > 0 || isForAddresses(leaf)) return own
    throw refuse(certFile, 'it has no subjectAltName: browsers accept it for no name')
  }
  const strange = wanted.filter((name) => !own.includes(name) && !matchesName(own, name))
  if (strange.length === 0) return [...wanted]
  throw refuse(certFile, `it is not for ${strange.join(', ')}; it is for ${own.join(', ')}`)
}

function isForAddresses({ subjectAltName }: X509Certificate): boolean {
  return subjectAltName?.includes('IP Address:') ?? false
}

function contextOf(file: string, options: SecureContextOptions): SecureContext {
  try {
    return createSecureContext(options)
  } catch (error) {
    throw refuse(file, `OpenSSL does not take it: ${wordsOf(error)}`, error)
  }
}

async function keyWarnings(file: string): Promise<string[]> {
  const { mode } = await stat(file)
  if (process.platform === 'win32' || (mode & READABLE_BY_OTHERS) === 0) return []
  return [`its key ${file} can be read by every user of this machine: chmod o-r ${file}`]
}

/** `error:0480006C:PEM routines::no start line` → `no start line` */
function wordsOf(error: unknown): string {
  return (error as Error).message.replace(/^error:.*::/, '')
}

function refuse(file: string, problem: string, cause?: unknown): Error {
  return createError('UWAS_ERR_SERVER_CERTIFICATE', { file, problem }, cause)
}

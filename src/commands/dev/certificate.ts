/**
 * TLS for development: an authority of this user's own, made once, and a certificate of it for this machine. Browsers
 * that are told of the authority believe `https://localhost`. Made by openssl; called by `dev.ts`.
 */
import { execFile } from 'node:child_process'
import { randomBytes, X509Certificate } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { homedir, hostname, userInfo } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createError } from '../../core/errors.ts'
import { isEnding } from '../../server/tls/expiry.ts'

export interface DevCertificate {
  /** What browsers have to be told of. */
  readonly authorityFile: string
  /** With the authority behind it. */
  readonly certFile: string
  readonly keyFile: string
}

const AUTHORITY_DAYS = 3650
/** Browsers take none of more than 398. */
const DAYS = 90

/** Whoever steals its key can play no other host than this machine. */
const CONFIG = `[req]
distinguished_name = subject
prompt = no
string_mask = utf8only
utf8 = yes
[subject]
CN = \${ENV::UWAS_SUBJECT}
[authority]
basicConstraints = critical,CA:TRUE,pathlen:0
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
nameConstraints = critical,permitted;DNS:localhost,permitted;IP:127.0.0.0/255.0.0.0,permitted;IP:0:0:0:0:0:0:0:1/FFFF:FFFF:FFFF:FFFF:FFFF:FFFF:FFFF:FFFF
[own]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = DNS:localhost,DNS:*.localhost,IP:127.0.0.1,IP:0:0:0:0:0:0:0:1
`

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']

/** Below `home`, by default `$XDG_DATA_HOME/uwas`. Rejects with UWAS_ERR_COMMANDS_CERTIFICATE. */
export async function devCertificate(home = dataDir()): Promise<DevCertificate> {
  const authority = join(home, 'authority')
  const own = join(home, 'localhost')
  const files = {
    authorityFile: join(authority, 'authority.pem'),
    certFile: join(own, 'cert.pem'),
    keyFile: join(own, 'key.pem'),
  }
  try {
    await mkdir(home, { recursive: true, mode: 0o700 })
    if ((await readEnd(files.authorityFile)) === null) await make(authority, makeAuthority)
    if (!(await isGood(files))) await make(own, (dir) => makeOwn(dir, authority))
    return files
  } catch (error) {
    throw createError(
      'UWAS_ERR_COMMANDS_CERTIFICATE',
      { dir: home, problem: wordsOf(error) },
      error,
    )
  }
}

function dataDir(): string {
  return join(process.env['XDG_DATA_HOME'] || join(homedir(), '.local', 'share'), 'uwas')
}

/** Null: there is none, or one that has to be made anew. */
async function readEnd(file: string): Promise<X509Certificate | null> {
  const pem = await readFile(file).catch(() => null)
  if (pem === null) return null
  const found = new X509Certificate(pem)
  const validity = {
    validFromMs: Date.parse(found.validFrom),
    validToMs: Date.parse(found.validTo),
  }
  return isEnding(validity, Date.now()) ? null : found
}

async function isGood({ authorityFile, certFile }: DevCertificate): Promise<boolean> {
  const [authority, own] = [await readEnd(authorityFile), await readEnd(certFile)]
  return own !== null && authority !== null && own.verify(authority.publicKey)
}

/** A folder that is there with all of its files, or not at all; where another process makes it meanwhile that one is kept. */
async function make(dir: string, fill: (dir: string) => Promise<void>): Promise<void> {
  const isThere = existsSync(dir)
  const next = await mkdtemp(`${dir}-`)
  try {
    await writeFile(join(next, 'openssl.cnf'), CONFIG)
    await fill(next)
    if (isThere) {
      const old = await mkdtemp(`${dir}-`)
      await rename(dir, old)
      await rm(old, { recursive: true, force: true })
    }
    await rename(next, dir).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error
    })
  } finally {
    await rm(next, { recursive: true, force: true })
  }
}

async function makeAuthority(dir: string): Promise<void> {
  const of = ['-x509', '-days', String(AUTHORITY_DAYS), '-extensions', 'authority']
  const files = ['-keyout', 'authority.key', '-out', 'authority.pem']
  const subject = `uwas development, ${userInfo().username} at ${hostname()}`.slice(0, 64)
  await openssl(dir, subject, ['req', '-config', 'openssl.cnf', ...NEW_KEY, ...of, ...files])
}

async function makeOwn(dir: string, authority: string): Promise<void> {
  const request = ['-new', '-keyout', 'key.pem', '-out', 'request.pem']
  await openssl(dir, 'localhost', ['req', '-config', 'openssl.cnf', ...NEW_KEY, ...request])
  const by = ['-CA', join(authority, 'authority.pem'), '-CAkey', join(authority, 'authority.key')]
  const serial = ['-set_serial', `0x00${randomBytes(16).toString('hex')}`]
  const extensions = ['-extfile', 'openssl.cnf', '-extensions', 'own']
  const rest = ['-days', String(DAYS), ...serial, ...extensions, '-out', 'cert.pem']
  await openssl(dir, 'localhost', ['x509', '-req', '-in', 'request.pem', ...by, ...rest])
  const chain = await Promise.all(
    [join(dir, 'cert.pem'), join(authority, 'authority.pem')].map((file) => readFile(file)),
  )
  await writeFile(join(dir, 'cert.pem'), Buffer.concat(chain))
}

async function openssl(cwd: string, subject: string, args: readonly string[]): Promise<void> {
  const env = { ...process.env, UWAS_SUBJECT: subject }
  await promisify(execFile)('openssl', args, { cwd, env })
}

function wordsOf(error: unknown): string {
  const { code, path, message, stderr } = error as NodeJS.ErrnoException & { stderr?: string }
  if (code === 'ENOENT' && path === 'openssl') return 'openssl is not installed'
  return stderr === undefined ? message : `openssl says ${stderr.trim()}`
}

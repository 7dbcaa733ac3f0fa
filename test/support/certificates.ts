/** Certificates for tests: a root, an intermediate below it, and whatever a server may have or get wrong. By openssl. */
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import type { CertificateFiles } from '../../src/server/tls/certificate.ts'

export interface IssueOptions {
  /** Days from now on which it begins and ends. Default -1 and 90. */
  readonly from?: number
  readonly to?: number
  /** Behind it in its file. Default the intermediate and the root. */
  readonly chain?: readonly string[]
  readonly extendedKeyUsage?: string
  /** Of the key's file. */
  readonly passphrase?: string
  readonly rsaBits?: number
}

/** PEM texts, and the files that hold them. */
export interface Issued extends CertificateFiles {
  readonly cert: string
  readonly key: string
}

export interface Authority {
  readonly dir: string
  readonly root: string
  readonly intermediate: string
  /** A certificate for `names` (`DNS:` is put before what has no colon) in `NAME.pem` and `NAME.key`. */
  issue(name: string, names: readonly string[], options?: IssueOptions): Issued
}

const CONFIG = `[ca]
default_ca = own
[own]
database = index.txt
new_certs_dir = .
rand_serial = yes
default_md = sha256
policy = any
unique_subject = no
copy_extensions = copy
[any]
commonName = supplied
`

/** Removed when the test ends. */
export function authorityOf(t: Test): Authority {
  const dir = mkdtempSync(join(tmpdir(), 'uwas-tls-'))
  chmodSync(dir, 0o755)
  t.teardown(() => rmSync(dir, { recursive: true, force: true }))
  writeFileSync(join(dir, 'ca.cnf'), CONFIG)
  writeFileSync(join(dir, 'index.txt'), '')
  makeKey(dir, 'root')
  sign(dir, 'root', ['-selfsign', '-keyfile', 'root.key'], 'basicConstraints=critical,CA:TRUE')
  makeKey(dir, 'middle')
  sign(dir, 'middle', issuer('root'), 'basicConstraints=critical,CA:TRUE,pathlen:0')
  const root = read(dir, 'root.pem')
  const intermediate = read(dir, 'middle.pem')
  return {
    dir,
    root,
    intermediate,
    issue(name, names, options = {}) {
      makeKey(dir, name, options)
      const own = names.map((one) => (one.includes(':') ? one : `DNS:${one}`))
      const { extendedKeyUsage = 'serverAuth', from, to } = options
      const extensions = [`extendedKeyUsage=${extendedKeyUsage}`]
      if (own.length > 0) extensions.push(`subjectAltName=${own.join(',')}`)
      sign(dir, name, issuer('middle'), extensions.join('\n'), { from, to })
      const leaf = read(dir, `${name}.pem`)
      const certFile = join(dir, `${name}.pem`)
      writeFileSync(certFile, [leaf, ...(options.chain ?? [intermediate, root])].join(''))
      const keyFile = join(dir, `${name}.key`)
      const key = readFileSync(keyFile, 'utf8')
      return { certFile, keyFile, passphrase: null, names: null, cert: leaf, key }
    },
  }
}

/** Puts a pair in the place of another, as a renewal does: whole files, one after the other. */
export function replace(place: CertificateFiles, by: Issued): void {
  writeFileSync(place.certFile, readFileSync(by.certFile))
  writeFileSync(place.keyFile, readFileSync(by.keyFile))
}

function issuer(name: string): string[] {
  return ['-cert', `${name}.pem`, '-keyfile', `${name}.key`]
}

function makeKey(dir: string, name: string, { passphrase, rsaBits }: IssueOptions = {}): void {
  const kind =
    rsaBits === undefined
      ? ['EC', '-pkeyopt', 'ec_paramgen_curve:prime256v1']
      : ['RSA', '-pkeyopt', `rsa_keygen_bits:${rsaBits}`]
  const lock = passphrase === undefined ? [] : ['-aes-256-cbc', '-pass', `pass:${passphrase}`]
  openssl(dir, ['genpkey', '-algorithm', ...kind, ...lock, '-out', `${name}.key`])
  const open = passphrase === undefined ? [] : ['-passin', `pass:${passphrase}`]
  const subject = ['-subj', `/CN=${name}`]
  openssl(dir, ['req', '-new', '-key', `${name}.key`, ...open, ...subject, '-out', `${name}.csr`])
  chmodSync(join(dir, `${name}.key`), 0o600)
}

function sign(
  dir: string,
  name: string,
  by: readonly string[],
  extensions: string,
  { from = -1, to = 90 }: { from?: number | undefined; to?: number | undefined } = {},
): void {
  writeFileSync(join(dir, `${name}.ext`), `${extensions}\n`)
  const period = ['-startdate', dateOf(from), '-enddate', dateOf(to)]
  const files = ['-in', `${name}.csr`, '-out', `${name}.pem`, '-extfile', `${name}.ext`]
  openssl(dir, ['ca', '-batch', '-notext', '-config', 'ca.cnf', ...by, ...period, ...files])
}

/** `20261127021838Z` */
function dateOf(days: number): string {
  const iso = new Date(Date.now() + days * 86_400_000).toISOString()
  return `${iso.slice(0, 19).replace(/\D/g, '')}Z`
}

function read(dir: string, name: string): string {
  return readFileSync(join(dir, name), 'utf8')
}

function openssl(cwd: string, args: readonly string[]): void {
  execFileSync('openssl', args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
}

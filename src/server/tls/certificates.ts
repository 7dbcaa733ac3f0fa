/**
 * The certificates of a server, found by the name that a client asks for, and replaced while it serves: their files
 * are looked at every few seconds (a watch would miss links that are turned over, as certbot and Kubernetes do it).
 * Connections that are open keep what they have. Made by the commands that serve; asked by `tls-front.ts`.
 */
import { existsSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { createError } from '../../core/errors.ts'
import type { Log } from '../../core/log.ts'
import { type Certificate, type CertificateFiles, loadCertificate } from './certificate.ts'
import { type CertificateEnd, daysLeft, describeEnd, isEnding } from './expiry.ts'
import type { TlsPolicy } from './policy.ts'

interface Place {
  readonly files: CertificateFiles
  /** Null: it has been ordered, and has not come yet. */
  certificate: Certificate | null
  /** Of the files when they were read. */
  identity: string
  /** Why what is there now is not taken; empty when it is. */
  problem: string
  /** Whether the log has said so. */
  isTold: boolean
}

const LOOK_MS = 2_000
const DAY_MS = 86_400_000

export class Certificates {
  readonly policy: TlsPolicy
  readonly #places: readonly Place[]
  #byName: ReadonlyMap<string, Certificate>
  #timer: NodeJS.Timeout | undefined
  /** When the log last said that one is about to end. */
  #warnedMs: number
  #isLooking: boolean
  /** Called when one has been replaced. */
  onChange: () => void

  private constructor(places: readonly Place[], policy: TlsPolicy) {
    this.policy = policy
    this.#places = places
    this.#byName = indexOf(this.all)
    this.#timer = undefined
    this.#warnedMs = 0
    this.#isLooking = false
    this.onChange = () => {}
  }

  /** Of at least one. Rejects with UWAS_ERR_SERVER_CERTIFICATE, _CERTIFICATE_NAME. */
  static async load(all: readonly CertificateFiles[], policy: TlsPolicy): Promise<Certificates> {
    const places: Place[] = []
    for (const files of all) {
      const found = await identityOf(files)
      const certificate = await loadAwaited(files, policy)
      // What is there and cannot be served is looked at again, and told: the clock may have been wrong.
      const identity = certificate === null && existsSync(files.certFile) ? '' : found
      places.push({ files, certificate, identity, problem: '', isTold: false })
    }
    const loaded = new Certificates(places, policy)
    for (const { files, certificate } of places) {
      if (certificate === null) loaded.#refuseOther(files)
    }
    return loaded
  }

  get all(): readonly Certificate[] {
    return this.#places.flatMap(({ certificate }) => certificate ?? [])
  }

  /** For clients that name no host, or one that is not there; undefined while none has come. */
  get default(): Certificate | undefined {
    return this.all[0]
  }

  /** `named`, else the default. */
  find(name: string | false | null | undefined): Certificate | undefined {
    return (name ? this.named(name) : undefined) ?? this.default
  }

  /** An exact name goes before a wildcard; `name` in any case. */
  named(name: string): Certificate | undefined {
    const lower = name.toLowerCase().replace(/\.$/, '')
    const dot = lower.indexOf('.')
    return (
      this.#byName.get(lower) ?? (dot > 0 ? this.#byName.get(`*${lower.slice(dot)}`) : undefined)
    )
  }

  /** When each of them ends. */
  ends(nowMs = Date.now()): readonly CertificateEnd[] {
    return this.all.map((one) => ({
      file: one.file,
      name: one.names[0] ?? '',
      endsMs: one.validToMs,
      days: daysLeft(one, nowMs),
    }))
  }

  /** Whether one of them is, or will be, for this host, without port, in small letters. */
  covers(host: string): boolean {
    return this.#places.some(
      ({ certificate, files }) => files.awaits === host || certificate?.covers(host),
    )
  }

  /** Looks for new ones from now on, and says when one is about to end. */
  watch(log: Log, everyMs = LOOK_MS): void {
    this.#warnOfEnds(log)
    this.#timer = setInterval(() => void this.look(log), everyMs).unref()
  }

  close(): void {
    clearInterval(this.#timer)
  }

  /** One look at the files. Never rejects. */
  async look(log: Log): Promise<void> {
    if (this.#isLooking) return
    this.#isLooking = true
    for (const place of this.#places) await this.#lookAt(place, log)
    this.#isLooking = false
    this.#warnOfEnds(log)
  }

  /** It would be refused when it comes, and end the start after that. */
  #refuseOther({ awaits: name = '', certFile }: CertificateFiles): void {
    const other = this.#byName.get(name)
    if (other === undefined) return
    const files = `${other.file} and ${certFile}`
    throw createError('UWAS_ERR_SERVER_CERTIFICATE_NAME', { files, name })
  }

  async #lookAt(place: Place, log: Log): Promise<void> {
    const { files } = place
    try {
      const identity = await identityOf(files)
      if (identity === place.identity) {
        place.problem = ''
        return
      }
      const certificate = await loadCertificate(files, this.policy)
      // One of the two was written in between: the next look finds them both.
      if ((await identityOf(files)) !== identity) return
      this.#replace(place, certificate, identity)
      for (const warning of certificate.warnings) log.warn(warning)
      const what = `${files.certFile} ${describeEnd(certificate)}`
      log.info(`a new certificate is served: ${what}, SHA-256 ${certificate.fingerprint}`)
    } catch (error) {
      this.#refuse(place, (error as Error).message, log)
    }
  }

  #replace(place: Place, certificate: Certificate, identity: string): void {
    const next = this.#places.flatMap((one) =>
      one === place ? certificate : (one.certificate ?? []),
    )
    this.#byName = indexOf(next)
    place.certificate = certificate
    place.identity = identity
    place.problem = ''
    place.isTold = false
    this.onChange()
  }

  /** Told once, and at the second look: files that are just being written are no mistake. */
  #refuse(place: Place, problem: string, log: Log): void {
    if (problem !== place.problem) {
      place.problem = problem
      place.isTold = false
      return
    }
    if (place.isTold) return
    place.isTold = true
    const { certificate } = place
    const before = certificate === null ? 'none' : `${certificate.file} ${describeEnd(certificate)}`
    log.error(`a new certificate is not taken: ${problem}\n  served as before: ${before}`)
  }

  #warnOfEnds(log: Log): void {
    const now = Date.now()
    if (now - this.#warnedMs < DAY_MS) return
    const ending = this.all.filter((one) => isEnding(one, now))
    for (const one of ending)
      log.warn(`renew the certificate ${one.file}: it ${describeEnd(one, now)}`)
    if (ending.length > 0) this.#warnedMs = now
  }
}

/** Null for one that has been ordered where there is none that could be served: it is ordered again. */
async function loadAwaited(
  files: CertificateFiles,
  policy: TlsPolicy,
): Promise<Certificate | null> {
  try {
    return await loadCertificate(files, policy)
  } catch (error) {
    if (files.awaits === undefined) throw error
    return null
  }
}

/** Throws UWAS_ERR_SERVER_CERTIFICATE_NAME where two have one name: which is served would be chance. */
function indexOf(all: readonly Certificate[]): Map<string, Certificate> {
  const byName = new Map<string, Certificate>()
  for (const certificate of all) {
    for (const name of certificate.names) {
      const other = byName.get(name)
      if (other !== undefined && other !== certificate) {
        const files = `${other.file} and ${certificate.file}`
        throw createError('UWAS_ERR_SERVER_CERTIFICATE_NAME', { files, name })
      }
      byName.set(name, certificate)
    }
  }
  return byName
}

/** Changes with the files, and with what links lead to. */
async function identityOf({ certFile, keyFile }: CertificateFiles): Promise<string> {
  const both = await Promise.all([certFile, keyFile].map(stateOf))
  return both.join(' ')
}

async function stateOf(file: string): Promise<string> {
  const found = await stat(file, { bigint: true }).catch(() => null)
  if (found === null) return 'none'
  const { dev, ino, size, mtimeNs, ctimeNs } = found
  return [dev, ino, size, mtimeNs, ctimeNs].join(':')
}

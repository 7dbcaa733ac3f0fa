/**
 * Texts that only this site can have made: signed, so that a client can read and not change them, or
 * encrypted, so that it cannot read them either. Each purpose has keys of its own, derived from the
 * site's secrets; the first secret signs, all of them verify. Called by cookies and signed URLs.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  hkdfSync,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto'
import { createError } from '../core/errors.ts'
import type { ServiceKey } from '../core/services.ts'

/** Shorter ones could be guessed from what is signed with them. */
const MIN_SECRET_BYTES = 32
const MAC_BYTES = 32
const NONCE_BYTES = 12
const TAG_BYTES = 16
const TIME_BYTES = 6

/** The site's keys in `req.services`. */
export const SIGNER: ServiceKey<Signer> = {
  name: 'secrets',
  hint: 'set `secrets` in uwas.config.ts, from the environment: secrets: [process.env.SECRET]',
}

interface Keys {
  readonly mac: Buffer
  readonly cipher: Buffer
}

export class Signer {
  readonly #secrets: readonly string[]
  readonly #keys = new Map<string, readonly Keys[]>()

  /** Throws UWAS_ERR_HTTP_SECRET for none, or a short one; the message never quotes it. */
  constructor(secrets: readonly string[]) {
    if (secrets.length === 0) throw createError('UWAS_ERR_HTTP_SECRET', { problem: 'is empty' })
    for (const [i, secret] of secrets.entries()) {
      const bytes = typeof secret === 'string' ? Buffer.byteLength(secret) : 0
      if (bytes >= MIN_SECRET_BYTES) continue
      const problem = `has at ${i} one of ${bytes} bytes; ${MIN_SECRET_BYTES} are the least: openssl rand -base64 48`
      throw createError('UWAS_ERR_HTTP_SECRET', { problem })
    }
    this.#secrets = secrets
  }

  /** `text` with its time and a signature; letters, digits, `-`, `_` and `.`. */
  sign(purpose: string, text: string): string {
    const body = Buffer.concat([timeNow(), Buffer.from(text)]).toString('base64url')
    const [first] = this.#keysOf(purpose)
    return `${body}.${mac(first as Keys, body).toString('base64url')}`
  }

  /** The text that was signed for this purpose, at most so long ago; undefined for anything else. */
  unsign(purpose: string, signed: string, maxAgeSeconds?: number): string | undefined {
    const dot = signed.lastIndexOf('.')
    const body = signed.slice(0, Math.max(dot, 0))
    // Node's decoder passes over what is no base64: one signature would have many spellings.
    if (!/^[\w-]+$/.test(body) || !/^[\w-]+$/.test(signed.slice(dot + 1))) return undefined
    const given = Buffer.from(signed.slice(dot + 1), 'base64url')
    if (given.byteLength !== MAC_BYTES) return undefined
    const isOurs = this.#keysOf(purpose).some((keys) => timingSafeEqual(mac(keys, body), given))
    if (!isOurs) return undefined
    return textOf(Buffer.from(body, 'base64url'), maxAgeSeconds)
  }

  /**
   * Codes of a text for this purpose, 32 bytes each: by the first secret, which makes, and by the others, which are
   * still believed.
   */
  macs(purpose: string, text: string): readonly Buffer[] {
    return this.#keysOf(purpose).map((keys) => mac(keys, text))
  }

  /** `text` with its time, readable by this site alone (AES-256-GCM). */
  encrypt(purpose: string, text: string): string {
    const [first] = this.#keysOf(purpose)
    const nonce = randomBytes(NONCE_BYTES)
    const cipher = createCipheriv('aes-256-gcm', (first as Keys).cipher, nonce)
    const hidden = cipher.update(Buffer.concat([timeNow(), Buffer.from(text)]))
    return Buffer.concat([nonce, hidden, cipher.final(), cipher.getAuthTag()]).toString('base64url')
  }

  /** The text that was encrypted for this purpose, at most so long ago; undefined for anything else. */
  decrypt(purpose: string, encrypted: string, maxAgeSeconds?: number): string | undefined {
    if (!/^[\w-]+$/.test(encrypted)) return undefined
    const bytes = Buffer.from(encrypted, 'base64url')
    if (bytes.byteLength < NONCE_BYTES + TIME_BYTES + TAG_BYTES) return undefined
    for (const { cipher: key } of this.#keysOf(purpose)) {
      try {
        const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, NONCE_BYTES))
        decipher.setAuthTag(bytes.subarray(-TAG_BYTES))
        const plain = decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES))
        return textOf(Buffer.concat([plain, decipher.final()]), maxAgeSeconds)
      } catch {
        // Not by this secret: another one may have made it.
      }
    }
    return undefined
  }

  #keysOf(purpose: string): readonly Keys[] {
    let keys = this.#keys.get(purpose)
    if (keys === undefined) {
      keys = this.#secrets.map((secret) => ({
        mac: derive(secret, `sign ${purpose}`),
        cipher: derive(secret, `encrypt ${purpose}`),
      }))
      this.#keys.set(purpose, keys)
    }
    return keys
  }
}

/** HKDF (RFC 5869): keys of one purpose tell nothing of those of another. */
function derive(secret: string, info: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, 'uwas', info, 32))
}

function mac({ mac: key }: Keys, body: string): Buffer {
  return createHmac('sha256', key).update(body).digest()
}

function timeNow(): Buffer {
  const time = Buffer.alloc(TIME_BYTES)
  time.writeUIntBE(Math.floor(Date.now() / 1000), 0, TIME_BYTES)
  return time
}

function textOf(bytes: Buffer, maxAgeSeconds: number | undefined): string | undefined {
  if (bytes.byteLength < TIME_BYTES) return undefined
  const ageSeconds = Date.now() / 1000 - bytes.readUIntBE(0, TIME_BYTES)
  if (maxAgeSeconds !== undefined && ageSeconds > maxAgeSeconds) return undefined
  return bytes.toString('utf8', TIME_BYTES)
}

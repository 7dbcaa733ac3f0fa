/**
 * Answers a certificate authority that asks whether the site's name leads here (HTTP-01, RFC 8555 section 8.3):
 * whichever process orders puts an answer into a folder, whichever is asked finds it there. Asked by the lanes before
 * all else that a site may say: hosts, redirects, guards.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Reply } from '../http/reply.ts'

/** Where authorities ask, by any host that leads here. */
export const ACME_PREFIX = '/.well-known/acme-challenge/'

/** base64url, as tokens are: no name of another file, and no way out of the folder. */
const TOKEN = /^[A-Za-z0-9_-]{1,128}$/

export class AcmeChallenges {
  readonly #dir: string

  constructor(dir: string) {
    this.#dir = dir
  }

  /** `path` as it was sent. Null for what is no open challenge: the site may have an answer of its own. */
  answer(method: string, path: string): Reply | null {
    if (!path.startsWith(ACME_PREFIX) || (method !== 'GET' && method !== 'HEAD')) return null
    const token = path.slice(ACME_PREFIX.length)
    if (!TOKEN.test(token)) return null
    try {
      const proof = readFileSync(join(this.#dir, token), 'latin1')
      const reply = new Reply(200, 'application/octet-stream', proof)
      return reply.append('Cache-Control', 'no-store')
    } catch {
      return null
    }
  }
}

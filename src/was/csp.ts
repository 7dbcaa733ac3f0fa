/**
 * The number that lets a page's own scripts and styles run (Content Security Policy Level 3, "nonce-source"):
 * another one for each reply, in its policy and in its page.
 */
import { randomBytes } from 'node:crypto'
import type { ServiceKey } from '../core/services.ts'
import type { Request } from '../http/request.ts'
import type { NoncePolicies } from '../http/security-headers.ts'
import { addLater } from './late-fields.ts'

/** The policies that have a place for a nonce; not there where none has. */
export const NONCE_POLICIES: ServiceKey<NoncePolicies> = {
  name: 'nonce policies',
  hint: 'name the source "\'nonce\'" in securityHeaders.contentSecurityPolicy',
}

const nonces = new WeakMap<object, string>()

/**
 * This reply's nonce, the same each time; in templates `<script nonce="{{cspNonce}}">`. The reply's policy has
 * it in the places of `'nonce'`, and the page is private: who could read it beforehand could use it. Empty where
 * no policy has such a place.
 */
export function cspNonce(req: Request): string {
  const policies = req.services.find(NONCE_POLICIES)
  if (policies === undefined) return ''
  let nonce = nonces.get(req)
  if (nonce === undefined) {
    nonce = randomBytes(16).toString('base64url')
    nonces.set(req, nonce)
    req.markPersonal('nonce')
    const fields = policies(nonce)
    addLater(req, (reply) => {
      const own = new Set((reply.headers ?? []).map(([name]) => name.toLowerCase()))
      for (const [name, value] of fields) {
        if (!own.has(name.toLowerCase())) reply.append(name, value)
      }
    })
  }
  return nonce
}

/** Whether the nonce of `req` stands in `text`. */
export function hasNonce(req: object, text: string): boolean {
  const nonce = nonces.get(req)
  return nonce !== undefined && text.includes(nonce)
}

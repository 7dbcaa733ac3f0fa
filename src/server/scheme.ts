/** How the requests of a lane come: in clear, or by TLS. Made by `server.ts`, asked by the lanes. */
import type { AcmeChallenges } from './acme-challenges.ts'
import type { ExtraFields } from './extra-head.ts'
import type { HttpsRedirect } from './https-redirect.ts'

export interface Scheme {
  readonly secure: boolean
  /** Fields of every reply; null: none besides those that replies have everywhere. */
  readonly fields: ExtraFields | null
  /** Sends those who come in clear to https; null: they are answered. */
  readonly redirect: HttpsRedirect | null
  /** Answers certificate authorities; null: the site orders nothing of them. */
  readonly challenges: AcmeChallenges | null
}

export const CLEAR: Scheme = { secure: false, fields: null, redirect: null, challenges: null }

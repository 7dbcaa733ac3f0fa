/**
 * Messages for the client's next page: "Saved.", after a redirect. Each travels in a short-lived cookie of its own,
 * encrypted, so that nobody needs a session for it and two replies at once lose none.
 */
import { randomBytes } from 'node:crypto'
import { createError } from '../core/errors.ts'
import { cookiesWithPrefix } from '../http/cookie.ts'
import { isToken } from '../http/headers.ts'
import type { Reply } from '../http/reply.ts'
import type { Request } from '../http/request.ts'
import { SIGNER } from '../http/signing.ts'
import { addLater } from './late-fields.ts'

/** One message for the client. */
export interface FlashMessage {
  /** `success`, `error`, whatever the site's pages know: a class for its style. */
  readonly kind: string
  readonly text: string
}

interface State {
  /** Not shown yet by this request's page. */
  pending: FlashMessage[]
  /** Cookies of messages that it has shown. */
  readonly shown: string[]
}

const PURPOSE = 'flash'
const PREFIX = 'flash-'
/** Of a message that no page has shown: it is old news then. */
const MAX_AGE_SECONDS = 600
const MAX_BYTES = 512
/** All of them travel with each request until a page shows them. */
const MAX_MESSAGES = 8

const states = new WeakMap<Request, State>()

/**
 * Keeps a message until a page of this client shows it, at most ten minutes: nearly always the one that the
 * reply redirects to. Nothing is kept where the reply is a 5xx. Of more than eight the oldest go. Needs
 * `secrets`; throws UWAS_ERR_WAS_FLASH for one of more than 512 bytes.
 */
export function flash(req: Request, kind: string, text: string): void {
  const bytes = Buffer.byteLength(kind) + Buffer.byteLength(text)
  if (bytes > MAX_BYTES) throw createError('UWAS_ERR_WAS_FLASH', { bytes, limit: MAX_BYTES })
  req.services.get(SIGNER)
  stateOf(req).pending.push({ kind, text })
}

/**
 * The messages for this client, the oldest first, those of this request too. They are gone when the reply has
 * left: show them. The page is private by it. In templates `{{#messages}}` by itself.
 */
export function messages(req: Request): readonly FlashMessage[] {
  const state = stateOf(req)
  const kept = keptBy(req).filter(({ name }) => !state.shown.includes(name))
  const { pending } = state
  state.pending = []
  state.shown.push(...kept.map(({ name }) => name))
  return [...kept.flatMap(({ message }) => message ?? []), ...pending]
}

/** For `attempts.ts`: takes back what has been said and shown since, when it is called. */
export function rememberFlash(req: Request): () => void {
  const before = states.get(req)
  const pending = [...(before?.pending ?? [])]
  const shown = before?.shown.length ?? 0
  return () => {
    const state = states.get(req)
    if (state === undefined) return
    state.pending = [...pending]
    state.shown.length = shown
  }
}

function stateOf(req: Request): State {
  let state = states.get(req)
  if (state === undefined) {
    state = { pending: [], shown: [] }
    states.set(req, state)
    req.markPersonal('cookie')
    addLater(req, (reply) => write(req, reply, state as State))
  }
  return state
}

interface Kept {
  readonly name: string
  /** Undefined for what is none of ours, or too old: it is taken away as well. */
  readonly message: FlashMessage | undefined
}

/** By name, which begins with the time. A name that no Set-Cookie can have cannot be taken away, and is none of ours. */
function keptBy(req: Request): Kept[] {
  const signer = req.services.find(SIGNER)
  if (signer === undefined) return []
  const cookies = cookiesWithPrefix(req.header('cookie') ?? '', prefixFor(req))
  return [...cookies]
    .filter(([name]) => isToken(name))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => {
      const text = signer.decrypt(PURPOSE, value, MAX_AGE_SECONDS)
      return { name, message: text === undefined ? undefined : (JSON.parse(text) as FlashMessage) }
    })
}

function write(req: Request, reply: Reply, { pending, shown }: State): void {
  if (reply.status >= 500) return
  const secure = req.client.scheme === 'https'
  const newest = pending.slice(-MAX_MESSAGES)
  const left = keptBy(req).filter(({ name }) => !shown.includes(name))
  const tooOld = left.slice(0, Math.max(0, left.length + newest.length - MAX_MESSAGES))
  for (const name of [...shown, ...tooOld.map((one) => one.name)]) {
    reply.cookie(name, '', { secure, maxAgeSeconds: 0 })
  }
  const signer = req.services.find(SIGNER)
  for (const [i, message] of newest.entries()) {
    const name = `${prefixFor(req)}${Date.now().toString(36)}${i}${randomBytes(6).toString('hex')}`
    const value = signer?.encrypt(PURPOSE, JSON.stringify(message)) ?? ''
    reply.cookie(name, value, { secure, maxAgeSeconds: MAX_AGE_SECONDS })
  }
}

function prefixFor(req: Request): string {
  return req.client.scheme === 'https' ? `__Host-${PREFIX}` : PREFIX
}

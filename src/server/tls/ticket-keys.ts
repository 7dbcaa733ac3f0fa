/**
 * The key of session tickets, by which a client that comes back has a shorter handshake (RFC 8446 section 4.6.1). All
 * workers of a server have the same one, whichever the client comes to, and change it together: each follows from the
 * one before, so that no later one tells what an earlier one has hidden. Made by what serves, asked by `tls-front.ts`.
 */
import { hkdfSync, randomBytes } from 'node:crypto'

/** What workers have to know to have the same keys. */
export interface TicketSeed {
  /** In base64. */
  readonly secret: string
  readonly fromMs: number
}

/** A key serves for half a day. */
export const TICKET_KEY_MS = 43_200_000
const SECRET_BYTES = 32
/** Of Node's `ticketKeys`. */
const KEY_BYTES = 48

export class TicketKeys {
  #secret: Buffer
  #fromMs: number

  /** Without a seed they are this process's own. */
  constructor(seed: TicketSeed = freshSeed()) {
    this.#secret = Buffer.from(seed.secret, 'base64')
    this.#fromMs = seed.fromMs
  }

  /** For a process that is to have the same keys from now on. */
  seed(nowMs = Date.now()): TicketSeed {
    this.#advance(nowMs)
    return { secret: this.#secret.toString('base64'), fromMs: this.#fromMs }
  }

  /** 48 bytes. */
  current(nowMs = Date.now()): Buffer {
    this.#advance(nowMs)
    return derive(this.#secret, 'key', KEY_BYTES)
  }

  #advance(nowMs: number): void {
    for (; nowMs - this.#fromMs >= TICKET_KEY_MS; this.#fromMs += TICKET_KEY_MS)
      this.#secret = derive(this.#secret, 'next', SECRET_BYTES)
  }
}

function freshSeed(): TicketSeed {
  return { secret: randomBytes(SECRET_BYTES).toString('base64'), fromMs: Date.now() }
}

function derive(secret: Buffer, purpose: string, bytes: number): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', `uwas session tickets: ${purpose}`, bytes))
}

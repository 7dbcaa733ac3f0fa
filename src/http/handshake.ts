/**
 * The opening handshake of a WebSocket (RFC 6455 section 4.2). Pure: fields come in, a judgement leaves.
 * `server/` asks whether a request is one, the view of a socket's URL whom it lets in.
 */
import { isToken, parseTokenList } from './headers.ts'
import { Reply } from './reply.ts'

/** Value of a field by its lower-case name; several of one name joined by `, `. */
export type GetField = (name: string) => string | undefined

/** The only version that is spoken (RFC 6455 section 4.1). */
const VERSION = '13'
/** 16 bytes in base64: the last letter before the padding has four bits to spare. */
const KEY = /^[A-Za-z0-9+/]{21}[AQgw]==$/

/** True for a request that asks for nothing but a WebSocket, in the way that RFC 6455 section 4.2.1 wants. */
export function isHandshake(get: GetField): boolean {
  return (
    parseTokenList(get('upgrade') ?? '').includes('websocket') &&
    parseTokenList(get('connection') ?? '').includes('upgrade') &&
    get('sec-websocket-version')?.trim() === VERSION &&
    KEY.test(get('sec-websocket-key') ?? '')
  )
}

/** The first of the client's offers that the site speaks; empty for none (RFC 6455 section 4.2.2). */
export function chooseProtocol(offered: string | undefined, spoken: readonly string[]): string {
  const offers = (offered ?? '').split(',').map((offer) => offer.trim())
  return offers.find((offer) => isToken(offer) && spoken.includes(offer)) ?? ''
}

/** Whether a page of `origin` may connect to `host`; undefined is a client that is no browser. */
export function isAllowedOrigin(
  origin: string | undefined,
  host: string | undefined,
  allowed: 'same' | '*' | readonly string[],
): boolean {
  if (origin === undefined || allowed === '*') return true
  if (allowed !== 'same') return allowed.includes(origin)
  return host !== undefined && isOriginOf(origin, host)
}

/** A proxy may have taken TLS off, so either scheme fits; its default port may be left out. */
function isOriginOf(origin: string, host: string): boolean {
  const [, scheme, own] = /^(https?):\/\/([^/?#@\s]+)$/.exec(origin) ?? []
  if (scheme === undefined || own === undefined) return false
  const port = scheme === 'https' ? ':443' : ':80'
  const bare = (authority: string): string => {
    const lower = authority.toLowerCase()
    return lower.endsWith(port) ? lower.slice(0, -port.length) : lower
  }
  return bare(own) === bare(host)
}

/** What a socket's URL answers to anything but a handshake (RFC 9110 section 15.5.22; RFC 6455 section 4.4). */
export function upgradeRequired(): Reply {
  const reply = new Reply(
    426,
    'text/plain; charset=utf-8',
    '426 Upgrade Required: this is the address of a WebSocket\n',
  )
  reply.append('Sec-WebSocket-Version', VERSION)
  // The server's own fields, which no view may set (headers.ts).
  reply.headers?.push(['Upgrade', 'websocket'], ['Connection', 'Upgrade'])
  return reply
}

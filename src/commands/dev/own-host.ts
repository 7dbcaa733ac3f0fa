/**
 * Whom development shows source code. Gets the Host of a request; tells whether it names this machine.
 * Called by `dev.ts` and `live.ts`.
 */
import { isIP } from 'node:net'

/** Listening on all addresses: any of them may be in Host, so that a phone can follow too. */
const WILDCARDS: ReadonlySet<string> = new Set(['0.0.0.0', '::'])

/**
 * True for a Host (RFC 9110 section 7.2) of this machine, or of `host`, the address to listen on. Any
 * other name may be a stranger's that was made to lead here (DNS rebinding), whose pages could then
 * read every answer.
 */
export function isOwnHost(field: string | undefined, host: string): boolean {
  const name = (field ?? '').toLowerCase().replace(/:\d*$/, '')
  const bare = name.replace(/^\[(.*)\]$/, '$1')
  if (/^(?:.+\.)?localhost$/.test(name) || bare === '127.0.0.1' || name === '[::1]') return true
  return bare === host.toLowerCase() || (WILDCARDS.has(host) && isIP(bare) !== 0)
}

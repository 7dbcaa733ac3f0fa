/** URLs of this site for what leaves it: mails, feeds, other servers. */
import { createError } from '../core/errors.ts'
import type { Request } from '../http/request.ts'
import { normalizeHost } from '../route/host-pattern.ts'
import { ALLOWED_HOSTS, isLoopback } from './allowed-hosts.ts'

/**
 * `path` of this site with scheme and host as the client named them. The host comes from the client, so it
 * has to be one of `allowedHosts`: else whoever asks for a mail could have it sent with a link to himself.
 * Throws UWAS_ERR_WAS_HOST; a machine's own names do without `allowedHosts`.
 */
export function absoluteUrl(req: Request, path: string): string {
  const { scheme, host } = req.client
  const hosts = req.services.find(ALLOWED_HOSTS)
  const isOurs = hosts === undefined ? isLoopback(normalizeHost(host)) : hosts.allows(host)
  if (!isOurs) throw createError('UWAS_ERR_WAS_HOST', { host: JSON.stringify(host) })
  if (!/^\/(?![/\\])/.test(path)) {
    const problem = `${JSON.stringify(path)} is no path of this site; it starts with one "/"`
    throw createError('UWAS_ERR_CORE_INVALID_OPTION', { where: 'absoluteUrl()', problem })
  }
  return `${scheme}://${host}${path}`
}

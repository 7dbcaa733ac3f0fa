/** Opens the status listener of a server, and says in words why it cannot be. Called by whoever knows the whole server. */
import { createError } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import type { StatusListener, StatusSource } from '../observe/status/listener.ts'
import type { SiteStatus } from '../was/status.ts'

/**
 * `token` is asked with each request: a reload may change it. `fd` is a socket that listens there already. Rejects with
 * UWAS_ERR_SUPERVISOR_STATUS.
 */
export async function openSiteStatus(
  { host, port }: SiteStatus,
  token: () => string | null,
  source: StatusSource,
  log: Log,
  fd?: number,
): Promise<StatusListener> {
  // Servers without it do not load Node's http for it.
  const { openStatus } = await import('../observe/status/listener.ts')
  try {
    const listener = await openStatus({ host, port, fd, token }, source)
    log.info(`status, metrics and health: ${listener.url}`)
    return listener
  } catch (error) {
    const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
    throw createError('UWAS_ERR_SUPERVISOR_STATUS', { address, problem: whyNot(error) }, error)
  }
}

function whyNot(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  switch (code) {
    case 'EADDRINUSE':
      return 'another program listens there'
    case 'EACCES':
      return 'ports below 1024 need privileges'
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return 'this machine has no such address'
    default:
      return message
  }
}

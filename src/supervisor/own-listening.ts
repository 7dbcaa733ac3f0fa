/**
 * Listening where sockets cannot be handed over, for want of the addon: each worker has sockets of its own, and what
 * waits in them ends with the worker. Called by `worker.ts`.
 */
import type { Application } from '../server/application.ts'
import type { FrontAddress } from '../server/front.ts'
import { type ListenOptions, listen, type Server } from '../server/server.ts'
import { freePort } from './free-port.ts'
import type { Begin } from './messages.ts'

/** Rejects with UWAS_ERR_SERVER_LISTEN. */
export async function listenByItself(
  application: Application,
  options: Pick<ListenOptions, 'headers' | 'countsConnections' | 'connections' | 'tls'>,
  { addresses, isNew }: NonNullable<Begin['listens']>,
): Promise<Server> {
  const all: FrontAddress[] = []
  for (const { host, port, path } of addresses) {
    const at = { host: host ?? undefined, port, path: path ?? undefined }
    const free = isNew && path === null ? await freePort(at) : port
    all.push({ ...at, port: free, isShared: true })
  }
  return listen(application, { port: 0, addresses: all, gate: null, ...options })
}

/**
 * Listening where sockets cannot be handed over, for want of the addon: each worker has a socket of its own, and what
 * waits in it ends with the worker. Called by `worker.ts`.
 */
import type { HeaderList } from '../http/headers.ts'
import type { Application } from '../server/application.ts'
import { type ListenOptions, listen, type Server } from '../server/server.ts'
import { freePort } from './free-port.ts'

interface OwnAddress {
  readonly host: string | null
  readonly port: number
  /** Whether it is the first one there: servers that share an address do not notice one another. */
  readonly isNew: boolean
}

/** Rejects with UWAS_ERR_SERVER_LISTEN. */
export async function listenByItself(
  application: Application,
  headers: HeaderList,
  { host, port, isNew }: OwnAddress,
  tls: ListenOptions['tls'] = null,
): Promise<Server> {
  const address = { host: host ?? undefined, port }
  const free = isNew ? await freePort(address) : port
  return listen(application, { ...address, port: free, headers, isShared: true, gate: null, tls })
}

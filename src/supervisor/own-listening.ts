/**
 * Listening where sockets cannot be handed over, for want of the addon: each worker has a socket of its own, and what
 * waits in it ends with the worker. Called by `worker.ts`.
 */
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import type { HeaderList } from '../http/headers.ts'
import type { Application } from '../server/application.ts'
import { cannotListen } from '../server/listen-error.ts'
import { listen, type Server } from '../server/server.ts'

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
): Promise<Server> {
  const address = { port, ...(host === null ? {} : { host }) }
  const free = isNew ? await freePort(address) : port
  return listen(application, { ...address, port: free, headers, isShared: true, gate: null })
}

async function freePort(address: { readonly host?: string; readonly port: number }) {
  const probe = createServer().listen({ ...address, exclusive: true })
  try {
    await once(probe, 'listening')
  } catch (error) {
    throw await cannotListen(address, error)
  }
  const { port } = probe.address() as AddressInfo
  await new Promise((resolve) => probe.close(resolve))
  return port
}

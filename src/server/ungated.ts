/**
 * Listens by the engine itself, where the addon has no gate: every connection takes the native lane, and
 * its fences are all that stands before a view. Called by `server.ts`.
 */
import type { LoadedEngine } from './engine.ts'
import type { EngineApp, ListenSocket } from './engine-types.ts'
import type { Front, FrontAddress } from './front.ts'
import { cannotListen } from './listen-error.ts'

/** All of the addresses, or none; `app` stays the caller's. Rejects with UWAS_ERR_SERVER_LISTEN. */
export async function listenUngated(
  { uws }: LoadedEngine,
  app: EngineApp,
  addresses: readonly FrontAddress[],
): Promise<Omit<Front, 'close'>> {
  const open: ListenSocket[] = []
  const stop = (): void => {
    for (const socket of open) uws.us_listen_socket_close(socket)
  }
  for (const address of addresses) {
    const { isShared = false } = address
    const options = isShared ? uws.LIBUS_LISTEN_DEFAULT : uws.LIBUS_LISTEN_EXCLUSIVE_PORT
    // The engine does not say why it cannot.
    const socket = await openOne(app, address, options)
    if (socket === false) {
      stop()
      throw await cannotListen(address)
    }
    open.push(socket)
  }
  return {
    ports: open.map((socket) => uws.us_socket_local_port(socket)),
    gated: false,
    stop,
    busy: () => 0,
    connections: () => 0,
  }
}

function openOne(
  app: EngineApp,
  { host, port, path }: FrontAddress,
  options: number,
): Promise<ListenSocket | false> {
  return new Promise((resolve) => {
    if (path !== undefined) resolve(false)
    else if (host === undefined) app.listen(port, options, resolve)
    else app.listen(host, port, options, resolve)
  })
}

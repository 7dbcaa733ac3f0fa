/**
 * Listens by the engine itself, where the addon has no gate: every connection takes the native lane, and
 * its fences are all that stands before a view. Called by `server.ts`.
 */
import type { LoadedEngine } from './engine.ts'
import type { EngineApp, ListenSocket } from './engine-types.ts'
import type { Front, FrontAddress } from './front.ts'

/** Undefined when the engine cannot; it does not say why. */
export async function listenUngated(
  { uws }: LoadedEngine,
  app: EngineApp,
  { host, port, isShared = false }: FrontAddress,
): Promise<Front | undefined> {
  const options = isShared ? uws.LIBUS_LISTEN_DEFAULT : uws.LIBUS_LISTEN_EXCLUSIVE_PORT
  const socket = await new Promise<ListenSocket | false>((resolve) => {
    if (host === undefined) app.listen(port, options, resolve)
    else app.listen(host, port, options, resolve)
  })
  if (socket === false) return undefined
  return {
    port: uws.us_socket_local_port(socket),
    gated: false,
    stop: () => uws.us_listen_socket_close(socket),
    busy: () => 0,
    close: () => void app.close(),
  }
}

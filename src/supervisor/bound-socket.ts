/**
 * A socket that is bound and nothing more, where the addon makes none: the workers that get it listen on it together,
 * as Node's cluster module has it where the system schedules. Called by `listening-sockets.ts`.
 */
import { lookup } from 'node:dns/promises'
import * as net from 'node:net'
import { cannotListen } from '../server/listen-error.ts'
import type { Held } from './listening-sockets.ts'

interface Address {
  readonly host: string | undefined
  readonly port: number
}

interface BoundHandle {
  close(): void
}

type Family = 4 | 6

/** Undocumented, and what Node's own cluster module binds by; the number is an error of the system. */
const { _createServerHandle: createHandle } = net as unknown as {
  _createServerHandle(address: string, port: number, family: Family): BoundHandle | number
}

/** Rejects with UWAS_ERR_SERVER_LISTEN. */
export async function bindUnheard(address: Address): Promise<Held> {
  for (const [host, family] of await addressesOf(address)) {
    const handle = createHandle(host, address.port, family)
    if (typeof handle !== 'number')
      return { handle, port: address.port, isLocal: false, close: () => handle.close() }
  }
  throw await cannotListen(address)
}

/** Without a host all of both versions, or of IPv4 where there is no other. */
async function addressesOf({ host, port }: Address): Promise<[host: string, family: Family][]> {
  if (host === undefined) {
    return [
      ['::', 6],
      ['0.0.0.0', 4],
    ]
  }
  try {
    const { address, family } = await lookup(host)
    return [[address, family as Family]]
  } catch (error) {
    throw await cannotListen({ host, port }, error)
  }
}

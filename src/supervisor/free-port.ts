/** Whether nobody has an address yet; asked before it is shared, since who shares one does not notice others. */
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { cannotListen } from '../server/listen-error.ts'

/** The port, or a free one where it is 0. Rejects with UWAS_ERR_SERVER_LISTEN. */
export async function freePort(address: {
  readonly host: string | undefined
  readonly port: number
}): Promise<number> {
  const { host, port } = address
  const probe = createServer().listen({
    port,
    ...(host !== undefined && { host }),
    exclusive: true,
  })
  try {
    await once(probe, 'listening')
  } catch (error) {
    throw await cannotListen(address, error)
  }
  const { port: found } = probe.address() as AddressInfo
  await new Promise((resolve) => probe.close(resolve))
  return found
}

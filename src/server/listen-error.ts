/** Why an address cannot be listened on, in words. Called by `server.ts` and by the supervisor. */
import { createServer as createProbe } from 'node:net'
import { createError } from '../core/errors.ts'
import type { FrontAddress } from './front.ts'

/** UWAS_ERR_SERVER_LISTEN, to be thrown. */
export async function cannotListen({ host, port }: FrontAddress, cause?: unknown): Promise<Error> {
  const address = `${host ?? '*'}:${port}`
  return createError(
    'UWAS_ERR_SERVER_LISTEN',
    { address, problem: await whyNot(host, port) },
    cause,
  )
}

/** The engine and the gate say too little; Node's own attempt at the same address says why. */
function whyNot(host: string | undefined, port: number): Promise<string> {
  return new Promise((resolve) => {
    const probe = createProbe()
    probe.once('error', (error: NodeJS.ErrnoException) => resolve(explain(error)))
    probe.listen({ port, ...(host === undefined ? {} : { host }) }, () => {
      probe.close(() => resolve('it could not, although the address is free; try another'))
    })
  })
}

function explain(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case 'EADDRINUSE':
      return 'another program listens there; stop it, or choose another port with --port'
    case 'EACCES':
      return 'ports below 1024 need privileges; choose another port with --port'
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return 'this machine has no such address; choose another with --host'
    default:
      return error.message
  }
}

/** Why an address cannot be listened on, in words. Called by `server.ts` and by the supervisor. */

import { createServer as createProbe } from 'node:net'
import { constants } from 'node:os'
import { createError } from '../core/errors.ts'
import type { FrontAddress } from './front.ts'

/** UWAS_ERR_SERVER_LISTEN, to be thrown. */
export async function cannotListen(address: FrontAddress, cause?: unknown): Promise<Error> {
  const { host, port, path } = address
  const name = path === undefined ? `${host ?? '*'}:${port}` : `unix:${path}`
  const problem = path === undefined ? await whyNot(host, port) : explainPath(errnoOf(cause))
  return createError('UWAS_ERR_SERVER_LISTEN', { address: name, problem }, cause)
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

/** What the gate has thrown tells the number of the system's error, as its cause. */
function errnoOf(error: unknown): number {
  const { cause } = (error ?? {}) as { readonly cause?: { readonly errno?: number } }
  return cause?.errno ?? 0
}

const { EADDRINUSE, EEXIST, ENOENT, ENOTDIR, EACCES, EPERM, ENAMETOOLONG, EROFS } = constants.errno

const PATH_PROBLEMS = new Map<number, string>([
  [EADDRINUSE, 'another program listens there; stop it, or choose another path'],
  [EEXIST, 'there is a file that is no socket; take it away, or choose another path'],
  [ENOENT, 'its folder is not there; make it'],
  [ENOTDIR, 'its folder is none; choose another path'],
  [EACCES, 'this user may not write to its folder'],
  [EPERM, 'this user may not write to its folder'],
  [EROFS, 'its folder cannot be written to'],
  [ENAMETOOLONG, 'the path of a socket has 99 bytes at most; choose a shorter one'],
])

function explainPath(errno: number): string {
  return PATH_PROBLEMS.get(errno) ?? 'unix sockets need Linux and the native addon'
}

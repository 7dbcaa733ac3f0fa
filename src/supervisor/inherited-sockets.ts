/**
 * Listening sockets that this process was started with: socket activation as sd_listen_fds(3) has it. The environment
 * comes in, descriptors come out. Called by `uwas serve`.
 */
import { createError } from '../core/errors.ts'

/** The first one is behind standard input, output and error. */
const FIRST = 3

/** None where they are of another process. Takes its variables out of `env`: children do not have them. */
export function inheritedSockets(env: NodeJS.ProcessEnv): number[] {
  const { LISTEN_PID: pid, LISTEN_FDS: count } = env
  for (const name of ['LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES']) delete env[name]
  if (Number(pid) !== process.pid || !/^\d{1,4}$/.test(count ?? '')) return []
  return Array.from({ length: Number(count) }, (_, i) => FIRST + i)
}

/** Throws UWAS_ERR_SUPERVISOR_SOCKET where there are some. */
export function refuseInherited([fd]: readonly number[], problem: string): void {
  if (fd !== undefined) throw createError('UWAS_ERR_SUPERVISOR_SOCKET', { fd, problem })
}

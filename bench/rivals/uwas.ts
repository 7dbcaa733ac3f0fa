/** uwas as people run it: `uwas serve DIR`. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { childrenOf } from '../method/cpu.ts'
import { type Rival, type Running, runPinned } from './rival.ts'

export const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url))
const MANIFEST = fileURLToPath(new URL('../../package.json', import.meta.url))

export const uwas: Rival = {
  name: 'uwas',
  missing: () => undefined,
  version: () =>
    `${JSON.parse(readFileSync(MANIFEST, 'utf8')).version}, Node ${process.versions.node}`,
  start(context) {
    const address = ['--host', '127.0.0.1', '--port', String(context.port)]
    const command = [process.execPath, MAIN, 'serve', context.dir, ...address]
    return runSupervised(context, command, { XDG_CACHE_HOME: context.scratch })
  },
}

/** The supervisor and its worker: both count. */
export async function runSupervised(...args: Parameters<typeof runPinned>): Promise<Running> {
  const running = await runPinned(...args)
  return { ...running, pids: running.pids.flatMap((pid) => [pid, ...childrenOf(pid)]) }
}

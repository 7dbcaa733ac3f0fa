/** `flame`, `doctor`, `bubbleprof`, `heap`: our own measurement anywhere, and clinic's page beside it where clinic runs. */
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { childrenOf } from '../../method/cpu.ts'
import { WARM_SECONDS, withServer } from '../subject.ts'
import type { Kind, Order } from './kind.ts'

const CLINIC = fileURLToPath(new URL('../clinic/node_modules/clinic/bin.js', import.meta.url))
/** It asks nobody for anything, and tells nobody about this run. */
const QUIET = { NO_INSIGHT: '1', NO_UPDATE_NOTIFIER: '1' }
/** clinic reads traces of this one; newer ones it was not made for. */
const NODE_MAJOR = 20

type ClinicTool = 'flame' | 'doctor' | 'bubbleprof' | 'heapprofiler'

export function withClinic(tool: ClinicTool, own: Kind): Kind {
  return {
    ...own,
    async profile(order) {
      const files = await own.profile(order)
      const why = whyNoClinic(tool, order)
      if (why === undefined) return [...files, await runClinic(tool, order)]
      console.log(`clinic's page of it is not made: ${why}`)
      return files
    },
  }
}

function whyNoClinic(tool: ClinicTool, { target }: Order): string | undefined {
  if (Number(process.versions.node.split('.')[0]) !== NODE_MAJOR) {
    return `clinic is for Node ${NODE_MAJOR}, and this is ${process.versions.node}`
  }
  // A site's TypeScript is read by hooks, which Node runs in a thread. clinic's collectors start there once more, write into
  // the same file, and end the process when that thread has nothing to do.
  const isSite = 'config' in target || target.scenario.view !== undefined
  if (isSite && tool !== 'flame') return `clinic ${tool} cannot follow a process with module hooks`
  return existsSync(CLINIC)
    ? undefined
    : 'it is not installed: npm --prefix bench/profile/clinic ci (700 packages, 150 MB)'
}

/** The page of clinic's tool. */
async function runClinic(tool: ClinicTool, order: Order): Promise<string> {
  const { target, connections, seconds, stem } = order
  const dest = mkdtempSync(join(tmpdir(), 'uwas-clinic-'))
  const wrap = (command: readonly string[]) => {
    // Node's traces go to the current folder, whatever clinic is told.
    const clinic = ['env', '-C', dest, process.execPath, CLINIC, tool]
    return [...clinic, '--open=false', '--dest', dest, '--', ...command]
  }
  try {
    const options = { wrap, env: QUIET, ...(connections !== undefined && { connections }) }
    await withServer(target, options, async (server) => {
      await server.load(WARM_SECONDS + seconds)
      interruptServer(server.pid)
      await server.ended()
    })
    const page = readdirSync(dest).find((name) => name.endsWith('.html'))
    if (page === undefined) throw new Error(`clinic ${tool} has left no page`)
    const file = `${stem}.clinic.html`
    copyFileSync(join(dest, page), file)
    return file
  } finally {
    rmSync(dest, { recursive: true, force: true })
  }
}

/** Ctrl+C for the server alone: clinic begins to read when it has ended. */
function interruptServer(clinic: number): void {
  const isServer = (pid: number) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('main.js')
  for (const pid of childrenOf(clinic).filter(isServer)) process.kill(pid, 'SIGINT')
}

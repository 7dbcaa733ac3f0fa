/** A supervised server as a child process, and what the kernel knows of its workers. */
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import { loadNative } from '../../src/native/load.ts'
import { folder, type RunningBinary, type RunOptions, serve } from './binary.ts'

/** Why tests of sockets that are handed over cannot run here; false when they can. */
export const skipWithoutGate =
  loadNative().gate === null && 'without the addon workers listen by themselves'

/** Views of a site that tell who has answered, and that misbehave on demand. */
export const SITE = `import { path, text, urlconf } from 'uwas'
const who = () => text(String(process.pid))
const slow = async () => { await new Promise((done) => setTimeout(done, 700)); return who() }
const later = () => { setTimeout(() => { throw new Error('thrown later') }); return who() }
export const urls = urlconf(
  path('/', who),
  path('/slow', slow),
  path('/later', later),
  path('/spin', () => { console.error('spinning'); for (;;); }),
)
`

/** Serves `SITE` with these keys of a configuration, as source. */
export async function superviseSite(
  t: Test,
  keys: string,
  options: RunOptions = {},
): Promise<RunningBinary & { readonly root: string; readonly url: string }> {
  const root = folder(t, { 'uwas.config.ts': configuration(keys), 'urls.ts': SITE })
  const running = await serve(t, ['serve', '--port', '0'], { cwd: root, ...options })
  return { ...running, root, url: `http://127.0.0.1:${running.port}` }
}

export function configuration(keys: string): string {
  return `import { urls } from './urls.ts'\nexport const config = { urls, ${keys} }\n`
}

/** Pids of the children of a process, in order of their start. */
export function childrenOf(pid: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((child) => statOf(child)?.[1] === String(pid))
    .sort((a, b) => Number(statOf(a)?.[19]) - Number(statOf(b)?.[19]))
}

/** Whether it runs; one that has ended and that nobody has waited for does not. */
export function runs(pid: number): boolean {
  const state = statOf(pid)?.[0]
  return state !== undefined && state !== 'Z'
}

/** Fields of proc(5), stat, behind the name. */
function statOf(pid: number): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return text.slice(text.lastIndexOf(')') + 2).split(' ')
  } catch {
    return undefined
  }
}

/** Waits until `condition` gives something; rejects after a minute. */
export async function eventually<T>(
  what: string,
  condition: () => T | false | undefined | null | Promise<T | false | undefined | null>,
): Promise<T> {
  for (let i = 0; i < 2400; i++) {
    const found = await condition()
    if (found !== false && found !== undefined && found !== null) return found
    await sleep(25)
  }
  throw new Error(`it was never so: ${what}`)
}

/** One request on a connection of its own; the pid that has answered. */
export async function ask(url: string): Promise<number> {
  const response = await fetch(url, { headers: { connection: 'close' } })
  return Number(await response.text())
}

/** Pids that have answered, asked until all of `count` have, or a minute has passed. */
export function answering(url: string, count: number): Promise<Set<number>> {
  const seen = new Set<number>()
  return eventually(`${count} workers answer`, async () => {
    seen.add(await ask(url))
    return seen.size >= count && seen
  })
}

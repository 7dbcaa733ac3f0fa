/** A server that other processes take over from: found by its pid file, as `uwas stop` finds it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import type { RunOptions } from './binary.ts'
import { eventually, runs, superviseSite } from './supervised.ts'

/** The same as `superviseSite`; who has taken over by the end of the test is ended, too. */
export async function upgradable(
  t: Test,
  keys: string,
  options: RunOptions = {},
): Promise<Awaited<ReturnType<typeof superviseSite>> & { readonly master: () => number }> {
  const running = await superviseSite(t, keys, options)
  endWith(t, running.root)
  return { ...running, master: () => masterOf(running.root) }
}

export interface ByScript {
  readonly child: ChildProcess
  readonly url: string
  /** Everything printed to standard error so far, by those that follow, too. */
  readonly heard: () => string
}

/** The source of a script that is uwas. */
export const SCRIPT = `await import('${new URL('../../dist/main.js', import.meta.url).href}')\n`

/** Serves the site of `root` by the script `bin.mjs` there, which another one can take the place of. */
export async function serveByScript(
  t: Test,
  root: string,
  options: { readonly cwd?: string; readonly args?: readonly string[] } = {},
): Promise<ByScript> {
  const { cwd = root, args = [] } = options
  const child = spawn(process.execPath, ['bin.mjs', 'serve', '--port', '0', ...args], {
    cwd,
    env: { ...process.env, PWD: cwd },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  endWith(t, root)
  let heard = ''
  child.stderr.on('data', (chunk) => {
    heard += chunk
  })
  const port = await eventually('it serves', () => /localhost:(\d+)\n/.exec(heard)?.[1])
  await eventually('it is found', () => masterOrNone(root) > 0)
  return { child, url: `http://127.0.0.1:${port}`, heard: () => heard }
}

/** Pid of the server that the file in this folder names. */
export function masterOf(root: string): number {
  return Number.parseInt(readFileSync(join(root, '.uwas/uwas.pid'), 'utf8'), 10)
}

/** Ends who serves there when `t` ends: nobody waits for a process that another one has started. */
export function endWith(t: Test, root: string): void {
  t.teardown(async () => {
    const pid = masterOrNone(root)
    if (pid === 0) return
    process.kill(pid, 'SIGTERM')
    await eventually('it ends', () => !runs(pid))
  })
}

/** 0 where none runs. */
function masterOrNone(root: string): number {
  try {
    const pid = masterOf(root)
    return runs(pid) ? pid : 0
  } catch {
    return 0
  }
}

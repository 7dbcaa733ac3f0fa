/** A server that is started with its sockets, as systemd starts one. */
import { type ChildProcess, spawn } from 'node:child_process'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import { ROOT } from './sources.ts'
import { eventually } from './supervised.ts'

const MAIN = join(ROOT, 'dist/main.js')

/** Starts it with the sockets `fds` as descriptors from 3 on, as systemd does. */
export function activate(
  t: Test,
  fds: readonly number[],
  args: readonly string[],
  cwd: string,
): ChildProcess {
  const script = `LISTEN_PID=$$ LISTEN_FDS=${fds.length} exec "$0" "$@"`
  const child = spawn('sh', ['-c', script, process.execPath, MAIN, 'serve', ...args], {
    cwd,
    stdio: ['ignore', 'ignore', 'pipe', ...fds],
  })
  t.teardown(() => child.kill('SIGKILL'))
  return child
}

/** Everything that it says until it ends, or says what is wanted. */
export async function hears(child: ChildProcess, wanted: RegExp): Promise<string> {
  let heard = ''
  for await (const chunk of child.stderr ?? []) {
    heard += chunk
    if (wanted.test(heard)) break
  }
  return heard
}

/** A service manager's ear at `path`, by socat; `told()`: all that it has been told so far (sd_notify(3)). */
export async function managerAt(t: Test, path: string) {
  const manager = spawn('socat', ['-u', `UNIX-RECV:${path}`, '-'])
  t.teardown(() => manager.kill('SIGKILL'))
  let told = ''
  manager.stdout.setEncoding('utf8').on('data', (text) => {
    told += text
  })
  await eventually('it listens', () => statSync(path, { throwIfNoEntry: false }) !== undefined)
  return { manager, told: () => told }
}

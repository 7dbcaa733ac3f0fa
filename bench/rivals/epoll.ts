/** A server of one thread in C, made for this bench: what the kernel costs, with almost nothing around it. */
import { execFileSync, spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Rival, runPinned } from './rival.ts'

const SOURCE = fileURLToPath(new URL('epoll/server.c', import.meta.url))

export const epoll: Rival = {
  name: 'C epoll',
  isSingle: true,
  missing: () =>
    spawnSync('cc', ['--version']).error === undefined
      ? undefined
      : 'there is no C compiler: apt-get install gcc',
  version: () => execFileSync('cc', ['--version'], { encoding: 'utf8' }).split('\n')[0] ?? '',
  start(context) {
    const binary = join(context.scratch, 'server')
    execFileSync('cc', ['-O2', '-Wall', '-Wextra', '-o', binary, SOURCE])
    const fields = join(context.scratch, 'fields')
    writeFileSync(fields, context.headers.map(([name, value]) => `${name}: ${value}\r\n`).join(''))
    return runPinned(context, [binary, context.dir, String(context.port), fields])
  },
}

import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import t from 'tap'

// As it is installed: the process runs what `npm run build` has made.
const module = new URL('../../dist/commands/type-stripper.js', import.meta.url).href
const { stripTypes }: typeof import('../../src/commands/type-stripper.ts') = await import(module)

/** Ids of the processes that strip types, of all that this one has started. */
function children(): number[] {
  const text = readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8')
  return text.split(' ').filter(Boolean).map(Number).filter(isStripper)
}

function isStripper(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('type-stripper-process')
  } catch {
    return false
  }
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(20)
}

t.test('types become spaces, whatever comes at the same time', async (t) => {
  const sources = Array.from(
    { length: 30 },
    (_, i) => `export const a${i}: number = ${i} as const\n`,
  )
  const all = await Promise.all(sources.map((source, i) => stripTypes(source, `/site/${i}.ts`)))
  for (const [i, { code }] of all.entries()) {
    t.equal(code, `export const a${i}${' '.repeat(8)} = ${i}${' '.repeat(9)}\n`)
  }
})

t.test('what cannot be read, or taken away, is refused with its place', async (t) => {
  const source = 'const a = 1\nenum Colour { red }\n'
  const { code, refusal } = await stripTypes(source, '/site/a.ts')
  t.equal(code, undefined)
  t.equal(refusal?.place, '/site/a.ts:2:1')
  t.match(refusal?.message, /enum/)
  t.match(refusal?.excerpt, 'Colour')
  t.equal((await stripTypes('let = = 1', '/site/b.ts')).refusal?.place, '/site/b.ts:1:7')
})

t.test('the process ends when nothing comes, and the next source starts another', async (t) => {
  await stripTypes('let a: 1', '/site/a.ts')
  const [first] = children()
  t.ok(first)
  await until(() => children().length === 0)
  t.equal((await stripTypes('let a: 1', '/site/a.ts')).code, 'let a   ')
  t.not(children()[0], first)
})

t.test('a process that is killed fails what it was asked, and nothing else', async (t) => {
  await stripTypes('let a: 1', '/site/a.ts')
  const [pid] = children()
  // It is stopped first, so that the source is surely waiting.
  process.kill(pid as number, 'SIGSTOP')
  const lost = stripTypes('let b: 1', '/site/b.ts')
  process.kill(pid as number, 'SIGKILL')
  await t.rejects(lost, { message: 'the process that reads TypeScript ended (SIGKILL)' })
  t.equal((await stripTypes('let c: 1', '/site/c.ts')).code, 'let c   ')
})

t.test('a process whose parent is killed leaves its answers, and says nothing', async (t) => {
  const stripper = new URL('../../dist/commands/type-stripper-process.js', import.meta.url)
  const parent = `
    const child = require('node:child_process').fork(${JSON.stringify(fileURLToPath(stripper))})
    const source = 'let a: number = 1\\n'.repeat(500)
    for (let id = 0; id < 200; id++) child.send({ id, source, file: '/site/a.ts' })
    child.once('message', () => {
      process.stdout.write('answered')
      process.kill(process.pid, 'SIGKILL')
    })`
  // It is over when the stripper, too, has closed its output.
  const output = await new Promise<{ stdout: string; stderr: string }>((resolve) => {
    execFile(process.execPath, ['-e', parent], (_, stdout, stderr) => resolve({ stdout, stderr }))
  })
  t.strictSame(output, { stdout: 'answered', stderr: '' })
})

/** Modules without their types, from one start to the next: what is kept, and what is never trusted. */
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'

type Module = typeof import('../../src/commands/stripped-cache.ts')

const SOURCE = 'export const a: number = 1\n'
const CODE = 'export const a         = 1\n'

const home = mkdtempSync(join(tmpdir(), 'uwas-test-'))
const folder = join(home, 'uwas', 'stripped')
const file = join(home, 'a.ts')
writeFileSync(file, '')
process.env['XDG_CACHE_HOME'] = home
t.teardown(() => rmSync(home, { recursive: true, force: true }))
t.beforeEach(() => rmSync(join(home, 'uwas'), { recursive: true, force: true }))

let processes = 0

/** A cache as a new process has it: of the built module, since the parser runs in a process of its own. */
async function newProcess(): Promise<Module> {
  const url = new URL('../../dist/commands/stripped-cache.js', import.meta.url)
  url.searchParams.set('process', String(++processes))
  return await import(url.href)
}

/** Ids of the parsers that this process has started. */
function parsers(): number[] {
  return children().filter(isParser)
}

/** Those that have ended are among them until Node knows it. */
function children(): number[] {
  const text = readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8')
  return text.split(' ').filter(Boolean).map(Number)
}

function isParser(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('type-stripper-process')
  } catch {
    return false
  }
}

async function endParsers(): Promise<void> {
  const ended = parsers()
  for (const pid of ended) process.kill(pid)
  while (children().some((pid) => ended.includes(pid))) await sleep(5)
}

/** Strips `source` in a process that finds what is kept; resolves to whether the parser was needed. */
async function needsParser(t: Test, source = SOURCE, code = CODE): Promise<boolean> {
  await endParsers()
  const { stripKept } = await newProcess()
  t.strictSame(await stripKept(source, file), { code })
  return parsers().length > 0
}

/** The only entry. */
function entry(t: Test): string {
  const names = readdirSync(folder)
  t.equal(names.length, 1)
  return join(folder, names[0] ?? '')
}

t.test('what was stripped once is not parsed again', async (t) => {
  t.equal(await needsParser(t), true)
  t.equal(await needsParser(t), false)
  t.equal(await needsParser(t, 'let b: 1', 'let b   '), true, 'another source is')
  t.equal(await needsParser(t), false)
})

t.test('only its owner can read or write it', async (t) => {
  await needsParser(t)
  t.equal(statSync(folder).mode & 0o777, 0o700)
  t.equal(statSync(entry(t)).mode & 0o777, 0o600)
})

for (const [what, spoil] of [
  ['changed', (path: string) => writeFileSync(path, readFileSync(path, 'utf8').replace('1', '2'))],
  ['cut off', (path: string) => writeFileSync(path, readFileSync(path, 'utf8').slice(0, -2))],
  ['empty', (path: string) => writeFileSync(path, '')],
  ['one that others may write', (path: string) => chmodSync(path, 0o666)],
] as const) {
  t.test(`an entry that is ${what} is made again`, async (t) => {
    await needsParser(t)
    spoil(entry(t))
    t.equal(await needsParser(t), true)
    t.equal(await needsParser(t), false)
  })
}

t.test('an entry under the name of another is not that entry', async (t) => {
  await needsParser(t)
  const first = entry(t)
  await needsParser(t, 'let b: 1', 'let b   ')
  const second = readdirSync(folder)
    .map((name) => join(folder, name))
    .find((one) => one !== first)
  writeFileSync(first, readFileSync(second ?? ''))
  t.equal(await needsParser(t), true)
})

t.test('a folder that others may write is not used', async (t) => {
  await needsParser(t)
  chmodSync(folder, 0o770)
  t.equal(await needsParser(t), true)
  chmodSync(folder, 0o700)
  t.equal(await needsParser(t), false)
})

t.test(
  'nor is one of another user, or its entry',
  { skip: process.getuid?.() !== 0 && 'only root can give files away' },
  async (t) => {
    await needsParser(t)
    chownSync(entry(t), 65_534, 65_534)
    t.equal(await needsParser(t), true)
    chownSync(folder, 65_534, 65_534)
    t.equal(await needsParser(t), true)
  },
)

t.test(
  'nor for the source of another user, nor in the home of one',
  { skip: process.getuid?.() !== 0 && 'only root can give files away' },
  async (t) => {
    chownSync(file, 65_534, 65_534)
    t.equal(await needsParser(t), true)
    t.equal(await needsParser(t), true)
    chownSync(file, 0, 0)
    rmSync(join(home, 'uwas'), { recursive: true })
    chownSync(home, 65_534, 65_534)
    t.equal(await needsParser(t), true)
    t.equal(await needsParser(t), true)
    t.notOk(existsSync(join(home, 'uwas')))
    chownSync(home, 0, 0)
    t.equal(await needsParser(t), true)
    t.equal(await needsParser(t), false)
  },
)

t.test('what is too long is parsed each time', async (t) => {
  const long = `// ${'x'.repeat(256 * 1024)}\n${SOURCE}`
  const code = `// ${'x'.repeat(256 * 1024)}\n${CODE}`
  t.equal(await needsParser(t, long, code), true)
  t.equal(await needsParser(t, long, code), true)
  t.strictSame(readdirSync(folder), [])
})

t.test(
  'a folder that cannot be entered is no obstacle',
  { skip: process.getuid?.() === 0 && 'root enters all' },
  async (t) => {
    await needsParser(t)
    chmodSync(folder, 0o600)
    t.equal(await needsParser(t), true)
    chmodSync(folder, 0o700)
  },
)

t.test('what is refused is not kept', async (t) => {
  const { stripKept } = await newProcess()
  t.match((await stripKept('enum A { b }', file)).refusal?.message, /enum/)
  t.strictSame(readdirSync(folder), [])
})

t.test('where nothing can be kept types are stripped all the same', async (t) => {
  writeFileSync(join(home, 'uwas'), '')
  t.equal(await needsParser(t), true)
  t.equal(await needsParser(t), true)
})

t.test('those that were used longest ago leave', async (t) => {
  const { MOST_ENTRIES, stripKept } = await newProcess()
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  for (let i = 0; i < MOST_ENTRIES + 5; i++) {
    writeFileSync(join(folder, String(i)), '')
    utimesSync(join(folder, String(i)), 1_000_000 + i, 1_000_000 + i)
  }
  await stripKept(SOURCE, file)
  const left = readdirSync(folder)
  t.equal(left.length, MOST_ENTRIES + 1)
  t.notOk(['0', '1', '2', '3', '4'].some((name) => left.includes(name)))
})

t.test('an entry that is used counts as new once a day', async (t) => {
  await needsParser(t)
  const longAgo = Date.now() / 1000 - 2 * 86_400
  utimesSync(entry(t), longAgo, longAgo)
  t.equal(await needsParser(t), false)
  t.ok(statSync(entry(t)).mtimeMs / 1000 > longAgo + 86_400)
})

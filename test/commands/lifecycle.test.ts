import { closeSync, existsSync, openSync, readdirSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { type Finished, folder, launch, run, serve } from '../support/binary.ts'

const SITE = {
  'uwas.config.ts': `import { path, text, urlconf } from 'uwas'
export const config = { urls: urlconf(
  path('/throws', () => { throw new Error('thrown') }),
  path('/later', () => { setTimeout(() => { throw new Error('later') }); return text('soon') }),
  path('/', () => text('served')),
) }`,
}

/** Of one process, without a supervisor. */
const ALONE = ['serve', '--workers', '0', '--port', '0']

const WITH_DATABASE = {
  'uwas.config.ts':
    "export const config = { migrations: 'migrations', database: 'embedded', static: 'public' }",
  'migrations/0001_a.sql': 'create table a (x text);',
  'public/a.txt': 'a',
}

t.test('it goes on serving when who reads its output has gone away', async (t) => {
  const { port, child } = await serve(t, ['serve', '--port', '0'], { cwd: folder(t, SITE) })
  child.stderr?.destroy()
  child.stdout?.destroy()
  const url = `http://127.0.0.1:${port}`
  for (let i = 0; i < 5; i++) t.equal((await fetch(`${url}/throws`)).status, 500)
  t.equal(await (await fetch(url)).text(), 'served')
  t.equal(child.exitCode, null)
})

t.test('an uncaught exception ends one process even when its log has no reader', async (t) => {
  const { port, child } = await serve(t, ALONE, { cwd: folder(t, SITE) })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.stderr?.destroy()
  await fetch(`http://127.0.0.1:${port}/later`).catch(() => undefined)
  t.equal(await ended, 1)
})

t.test('without workers SIGHUP stops like SIGTERM', async (t) => {
  const { child, finished } = await serve(t, ALONE, { cwd: folder(t, SITE) })
  child.kill('SIGHUP')
  t.match(await finished, { code: 0, stderr: /SIGHUP: finishing what has begun/ })
})

t.test('under nohup the end of the terminal does not stop one process', async (t) => {
  const stdin = openSync('/dev/null', 'w')
  const options = { cwd: folder(t, SITE), stdin }
  const { port, child, finished } = await serve(t, ALONE, options)
  closeSync(stdin)
  child.kill('SIGHUP')
  for (let i = 0; i < 5; i++) {
    t.equal(await (await fetch(`http://127.0.0.1:${port}`)).text(), 'served')
    await sleep(20)
  }
  child.kill('SIGTERM')
  const { code, stderr } = await finished
  t.equal(code, 0)
  t.notMatch(stderr, 'SIGHUP')
})

/** Ids of all processes that work in the data folder of the site in `root`, initdb's children included. */
function databaseProcesses(root: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readlinkSync(`/proc/${pid}/cwd`).startsWith(join(root, '.uwas'))
      } catch {
        return false
      }
    })
}

async function until(condition: () => boolean): Promise<boolean> {
  for (let i = 0; i < 400; i++) {
    if (condition()) return true
    await sleep(50)
  }
  return false
}

/** What a start has got to when the signal comes; each is later than the one before. */
const MOMENTS: [name: string, come: (root: string) => boolean][] = [
  ['at initdb', (root) => existsNew(join(root, '.uwas/postgres'))],
  ['when the data are made', (root) => existsSync(join(root, '.uwas/postgres/data'))],
  [
    'when the server begins',
    (root) => existsSync(join(root, '.uwas/postgres/data/postmaster.pid')),
  ],
  ['when its socket is there', (root) => existsSync(join(root, '.uwas/postgres/.s.PGSQL.5432'))],
  ['when it is looked after', (root) => existsSync(join(root, '.uwas/postgres/owner.json'))],
]

function existsNew(dir: string): boolean {
  return existsSync(dir) && readdirSync(dir).some((name) => name.startsWith('data.new-'))
}

/** Starts a command, sends it `signal` at the moment, and waits until nothing of it remains. */
async function interrupt(
  t: Test,
  root: string,
  [name, come]: (typeof MOMENTS)[number],
  signal: 'SIGINT' | 'SIGTERM',
): Promise<Finished> {
  const command = signal === 'SIGINT' ? 'check' : 'serve'
  const { child, finished } = launch(t, [command], { cwd: root, env: { PORT: '0' } })
  for (let i = 0; i < 20_000 && child.exitCode === null && !come(root); i++) await sleep(1)
  child.kill(signal)
  const end = await finished
  t.ok(await until(() => databaseProcesses(root).length === 0), `${name}: no process remains`)
  return end
}

t.test('a signal during the start leaves no PostgreSQL behind', async (t) => {
  for (const moment of MOMENTS) {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      const end = await interrupt(t, folder(t, WITH_DATABASE), moment, signal)
      // On a busy machine the start may be over by the time the signal comes.
      const codes = signal === 'SIGINT' ? [130, 0, 1] : [143, 0]
      t.ok(codes.includes(end.code ?? -1), `${moment[0]}: ended by ${end.signal} with ${end.code}`)
    }
  }
})

t.test('a start that was interrupted can be repeated', async (t) => {
  const root = folder(t, WITH_DATABASE)
  for (const moment of MOMENTS) await interrupt(t, root, moment, 'SIGINT')
  const { code, stderr } = await run(['migrate'], { cwd: root })
  t.equal(code, 0, stderr)
  t.match(stderr, '1 migration applied')
  t.strictSame(databaseProcesses(root), [])
})

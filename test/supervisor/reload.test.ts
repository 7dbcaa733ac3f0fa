import { join } from 'node:path'
import t from 'tap'
import { folder, launch, put, run, serve } from '../support/binary.ts'
import { copyFreshData } from '../support/fresh-data.ts'
import {
  answering,
  ask,
  childrenOf,
  configuration,
  eventually,
  runs,
  SITE,
  superviseSite,
} from '../support/supervised.ts'

t.test('SIGHUP puts new workers with new code in the places of all', async (t) => {
  const { child, url, root, printed } = await superviseSite(t, 'workers: 2')
  const before = await answering(url, 2)
  const slow = ask(`${url}/slow`)
  await ask(url)
  put(
    root,
    'urls.ts',
    "import { path, text, urlconf } from 'uwas'\nexport const urls = urlconf(path('/', () => text('new ' + process.pid)))",
  )
  child.kill('SIGHUP')
  await printed(/SIGHUP: starting new workers/)
  await printed(/reloaded in \d+ ms/)
  t.ok(before.has(await slow), 'what had begun is answered by who had begun it')
  await eventually('only new workers answer', async () => {
    const texts = await Promise.all(
      Array.from({ length: 8 }, async () =>
        (await fetch(url, { headers: { connection: 'close' } })).text(),
      ),
    )
    return texts.every((text) => text.startsWith('new '))
  })
  await eventually('the old ones have ended', () => ![...before].some(runs))
})

t.test('a reload changes the number of workers', async (t) => {
  const { child, url, root, printed, stderr } = await superviseSite(t, 'workers: 1')
  await ask(url)
  put(root, 'uwas.config.ts', configuration('workers: 3'))
  child.kill('SIGHUP')
  await printed(/reloaded/)
  t.equal((await answering(url, 3)).size, 3)
  put(root, 'uwas.config.ts', configuration('workers: 1'))
  const from = stderr().length
  child.kill('SIGHUP')
  await printed(/reloaded/, from)
  await eventually('one of them answers all', async () => {
    const pids = await Promise.all(Array.from({ length: 12 }, () => ask(url)))
    return new Set(pids).size === 1
  })
})

t.test('a reload that fails says why, and leaves all as it was', async (t) => {
  const { child, url, root, printed, stderr } = await superviseSite(t, 'workers: 2')
  const before = await answering(url, 2)
  const fails = async (config: string, why: RegExp): Promise<void> => {
    put(root, 'uwas.config.ts', config)
    const from = stderr().length
    child.kill('SIGHUP')
    await printed(why, from)
    t.strictSame([...(await answering(url, 2))].sort(), [...before].sort())
  }
  await fails(
    configuration("workers: 2, templates: 'nowhere'"),
    /not reloaded, what served before goes on: worker 1 \(pid \d+\) could not start: .*nowhere.*UWAS_ERR_TEMPLATE_DIRECTORY/s,
  )
  await fails('export const config = {', /not reloaded.*UWAS_ERR_COMMANDS_CONFIG_LOAD/s)
  await fails(
    configuration("workers: 2, stateDir: 'elsewhere', host: '127.0.0.1'"),
    /not reloaded.*the configuration changes host, stateDir, which a reload cannot do: .*\[UWAS_ERR_SUPERVISOR_RESTART\]/,
  )
  await fails(configuration('workers: 0'), /not reloaded.*the configuration changes workers/)
})

t.test('reloads that are asked for at once are one after the other', async (t) => {
  const { child, url, printed, stderr } = await superviseSite(t, 'workers: 1')
  for (let i = 0; i < 3; i++) child.kill('SIGHUP')
  await printed(/reloaded/)
  await eventually('every one has come to its end', () => {
    const asked = stderr().split('starting new workers').length
    return stderr().split('reloaded in').length === asked
  })
  t.ok((await ask(url)) > 0)
})

t.test('a worker that dies during a reload is no loss', async (t) => {
  const { child, url, printed } = await superviseSite(t, 'workers: 2')
  const [first = 0] = await answering(url, 2)
  child.kill('SIGHUP')
  process.kill(first, 'SIGKILL')
  await printed(/reloaded/)
  t.equal((await answering(url, 2)).size, 2)
})

t.test('migrations run once, whether at the start or with a reload', async (t) => {
  const root = folder(t, {
    'uwas.config.ts':
      "export const config = { migrations: 'migrations', database: 'embedded', static: 'public', workers: 2 }",
    'migrations/0001_a.sql': 'create table a (x text);',
    'public/a.txt': 'a',
  })
  await copyFreshData(join(root, '.uwas/postgres'))
  const { child, printed, finished } = await serve(t, ['serve', '--port', '0'], { cwd: root })
  put(root, 'migrations/0002_b.sql', 'create table b (x text);')
  child.kill('SIGHUP')
  await printed(/reloaded/)
  child.kill('SIGTERM')
  const { stderr, code } = await finished
  t.equal(code, 0, stderr)
  t.equal(stderr.split('applied migration').length, 3, stderr)
  const { stdout } = await run(['migrate', '--status'], { cwd: root })
  t.match(stdout, /0001_a.*applied.*0002_b.*applied/s)
})

t.test('a reload whose worker never becomes ready ends, and the next one is done', async (t) => {
  const keys = 'workers: { count: 1, startTimeoutMs: 8000 }'
  const { child, url, root } = await superviseSite(t, keys)
  const before = await ask(url)
  put(
    root,
    'uwas.config.ts',
    `await new Promise(() => setInterval(() => {}, 1000))\n${configuration(keys)}`,
  )
  const hanging = run(['reload'], { cwd: root })
  const failed = await hanging
  t.equal(failed.code, 2)
  t.match(failed.stderr, /worker 1 \(pid \d+\) could not start: it was not ready after 8000 ms/)
  t.equal(await ask(url), before)
  t.strictSame(childrenOf(child.pid ?? 0), [before], 'nothing of it is left')
  put(root, 'uwas.config.ts', configuration(keys))
  const done = await run(['reload'], { cwd: root })
  t.equal(done.code, 0, done.stderr)
  t.not(await ask(url), before)
})

t.test('a SIGHUP before it serves is a reload after it does', async (t) => {
  const root = folder(t, { 'uwas.config.ts': configuration('workers: 1'), 'urls.ts': SITE })
  const { child, printed } = launch(t, ['serve', '--port', '0'], { cwd: root })
  await eventually('its worker starts', () => childrenOf(child.pid ?? 0).length > 0)
  child.kill('SIGHUP')
  await printed(/serving .*SIGHUP: starting new workers.*reloaded in/s)
  t.equal(child.exitCode, null)
})

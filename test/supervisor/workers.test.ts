import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { availableParallelism } from 'node:os'
import t from 'tap'
import { folder, put, run, serve } from '../support/binary.ts'
import {
  answering,
  ask,
  childrenOf,
  configuration,
  eventually,
  runs,
  skipWithoutGate,
  superviseSite,
} from '../support/supervised.ts'

t.test(
  'a supervisor serves by as many workers as it is told, and all of them answer',
  async (t) => {
    const { child, url, stderr } = await superviseSite(t, 'workers: 3')
    t.match(stderr(), /serving .*3 workers\) on/)
    const pids = await answering(url, 3)
    t.strictSame([...pids].sort(), [...childrenOf(child.pid ?? 0)].sort())
    t.notOk(pids.has(child.pid ?? 0), 'the supervisor serves nothing')
  },
)

t.test('their titles tell them apart', async (t) => {
  const { child, url } = await superviseSite(t, 'workers: 2')
  await answering(url, 2)
  const pids = [child.pid ?? 0, ...childrenOf(child.pid ?? 0)]
  const titles = pids.map((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')[0])
  t.strictSame(titles.sort(), ['uwas: master', 'uwas: worker 1', 'uwas: worker 2'])
})

t.test('--workers wins over the configuration, and 0 is this one process', async (t) => {
  const root = folder(t, {
    'uwas.config.ts': configuration('workers: 2'),
    'urls.ts':
      "import { path, text, urlconf } from 'uwas'\nexport const urls = urlconf(path('/', () => text(String(process.pid))))",
  })
  const flagged = await serve(t, ['serve', '--workers', '0', '--port', '0'], { cwd: root })
  t.equal(await ask(`http://127.0.0.1:${flagged.port}`), flagged.child.pid)
  put(root, 'uwas.config.ts', configuration('workers: 0'))
  const configured = await serve(t, ['serve', '--port', '0'], { cwd: root })
  t.equal(await ask(`http://127.0.0.1:${configured.port}`), configured.child.pid)
  const wrong = await run(['serve', '--workers', 'many'], { cwd: root })
  t.equal(wrong.code, 2)
  t.match(wrong.stderr, 'It is neither "auto" nor a number from 0 to 1024.')
})

t.test(
  'a worker that is killed is told of and replaced; neighbours answer meanwhile',
  async (t) => {
    const { child, url, printed } = await superviseSite(t, 'workers: 2')
    const [first = 0] = await answering(url, 2)
    process.kill(first, 'SIGKILL')
    await printed(
      new RegExp(`worker \\d \\(pid ${first}\\) ended by SIGKILL; another one takes its place`),
    )
    const pids = await eventually('there are two again', () => {
      const now = childrenOf(child.pid ?? 0).filter(runs)
      return now.length === 2 && !now.includes(first) && now
    })
    t.strictSame([...(await answering(url, 2))].sort(), [...pids].sort())
  },
)

t.test(
  'while a worker is away nothing that has come to its socket waits for it',
  { skip: skipWithoutGate },
  async (t) => {
    // A place whose workers can never start again: the configuration is broken from now on.
    const { root, url, printed } = await superviseSite(t, 'workers: 2')
    const [first = 0, second = 0] = await answering(url, 2)
    put(root, 'uwas.config.ts', 'export const config = { nonsense: 1 }')
    process.kill(first, 'SIGKILL')
    await printed(/worker \d \(pid \d+\) could not start: .*unknown key/s)
    for (let i = 0; i < 40; i++) t.equal(await ask(url), second)
    put(root, 'uwas.config.ts', configuration('workers: 2'))
    t.equal((await answering(url, 2)).size, 2, 'it is tried again and again')
  },
)

t.test('a worker that stands still is killed and replaced', async (t) => {
  const { url, port, printed } = await superviseSite(t, 'workers: { count: 1, timeoutMs: 2000 }')
  const before = await ask(url)
  const spinning = connect(port, '127.0.0.1')
  t.teardown(() => spinning.destroy())
  spinning.on('error', () => {})
  spinning.write('GET /spin HTTP/1.1\r\nHost: x\r\n\r\n')
  await printed(new RegExp(`worker 1 \\(pid ${before}\\) has not answered for 2000 ms; killing it`))
  t.not(await ask(url), before)
})

t.test(
  'an exception that nobody handles costs its worker alone, which answers what it has begun',
  async (t) => {
    const { url, printed } = await superviseSite(t, 'workers: 2')
    await answering(url, 2)
    const slow = ask(`${url}/slow`)
    const broken = await ask(`${url}/later`)
    await printed(/an exception unhandled\nError: thrown later/)
    t.ok((await slow) > 0)
    await printed(
      new RegExp(`worker \\d \\(pid ${broken}\\) is ending; another one takes its place`),
    )
    const pids = await eventually('another one answers', async () => {
      const seen = await answering(url, 2)
      return !seen.has(broken) && seen
    })
    t.equal(pids.size, 2)
  },
)

t.test('SIGTERM to a worker has it replaced, the next one ready first', async (t) => {
  const { url, printed } = await superviseSite(t, 'workers: 1')
  const before = await ask(url)
  process.kill(before, 'SIGTERM')
  await printed(new RegExp(`worker 1 \\(pid ${before}\\) is replaced: it was told to end`))
  await eventually('another one answers', async () => (await ask(url)) !== before)
  await eventually('it has ended', () => !runs(before))
})

t.test('a worker is replaced after so many requests, and after so long', async (t) => {
  const counted = await superviseSite(t, 'workers: { count: 1, maxRequests: 20 }')
  const first = await ask(counted.url)
  for (let i = 0; i < 30; i++) await ask(counted.url)
  await counted.printed(/worker 1 \(pid \d+\) is replaced: it has answered \d+ requests/)
  await eventually('another one answers', async () => (await ask(counted.url)) !== first)
  const aged = await superviseSite(t, 'workers: { count: 1, maxAgeSeconds: 1 }')
  await aged.printed(/is replaced: it has served for \d+ s/)
  const fat = await superviseSite(t, 'workers: { count: 1, maxMemoryBytes: 1_000_000 }')
  await fat.printed(/is replaced: it has \d+ MiB of memory/)
})

t.test('pauses before the next worker double with each end, from none on', async (t) => {
  const { url, stderr } = await superviseSite(t, 'workers: 1')
  for (let i = 0; i < 4; i++) {
    process.kill(await ask(url), 'SIGKILL')
    await eventually('it is told', () => stderr().split('takes its place').length > i + 1)
  }
  const pauses = [...stderr().matchAll(/ended by SIGKILL; another one takes its place(.*)/g)]
  t.strictSame(
    pauses.map(([, pause]) => pause),
    ['', ' in 200 ms', ' in 400 ms', ' in 800 ms'],
  )
})

t.test('a reload begins anew with the pauses', async (t) => {
  const { child, url, printed, stderr } = await superviseSite(t, 'workers: 1')
  for (let i = 0; i < 2; i++) {
    process.kill(await ask(url), 'SIGKILL')
    await eventually('it is told', () => stderr().split('takes its place').length > i + 1)
  }
  const before = await ask(url)
  child.kill('SIGHUP')
  await printed(/reloaded/)
  const pid = await eventually('a new one answers', async () => {
    const now = await ask(url)
    return now !== before && now
  })
  process.kill(pid, 'SIGKILL')
  await printed(new RegExp(`${pid}\\) ended by SIGKILL; another one takes its place\n`))
})

t.test('a mistake at the first start is told once, by the exit code too', async (t) => {
  const root = folder(t, {
    'uwas.config.ts': "export const config = { workers: 4, static: 'nowhere' }",
  })
  const { code, stderr } = await run(['serve', '--port', '0'], { cwd: root })
  t.equal(code, 2)
  t.equal(stderr.split('UWAS_ERR_FILES_FOLDER').length, 2, stderr)
  const exits = folder(t, { 'uwas.config.ts': 'process.exit(3)' })
  const ended = await run(['serve', '--port', '0'], { cwd: exits })
  t.equal(ended.code, 1)
  t.match(
    ended.stderr,
    /worker 1 \(pid \d+\) could not start: it ended with exit code 3 before it was ready/,
  )
})

t.test('a worker of another version of uwas refuses to start', async (t) => {
  const root = folder(t, { 'index.html': 'x' })
  // As a supervisor does it that was started before uwas was replaced.
  const script = `
    const { fork } = require('node:child_process')
    const child = fork(process.argv[1], ['serve', '.'], { env: { ...process.env, UWAS_WORKER: '0.0.1' } })
    child.on('message', (message) => console.log(JSON.stringify(message)))`
  const { stdout } = spawnSync(process.execPath, ['-e', script, 'dist/main.js'], {
    encoding: 'utf8',
  })
  t.match(
    stdout,
    /uwas \S+ is installed here, but 0\.0\.1 is running: .*UWAS_ERR_SUPERVISOR_VERSION/,
  )
  t.ok(root)
})

t.test('without the addon workers listen by themselves', async (t) => {
  const env = { UWAS_NATIVE: 'off' }
  const { url, port, printed, root } = await superviseSite(t, 'workers: 2', { env })
  const [first = 0] = await answering(url, 2)
  process.kill(first, 'SIGKILL')
  await printed(/ended by SIGKILL/)
  await eventually('two others answer', async () => !(await answering(url, 2)).has(first))
  const taken = await run(['serve', '--port', String(port)], { cwd: root, env })
  t.equal(taken.code, 2)
  t.match(taken.stderr, 'another program listens there')
})

t.test(
  'workers stay on cores of their own where they shall',
  { skip: skipWithoutGate },
  async (t) => {
    const coresOf = (pid: number): string[] =>
      readdirSync(`/proc/${pid}/task`).map((thread) => {
        const text = readFileSync(`/proc/${pid}/task/${thread}/status`, 'utf8')
        return /Cpus_allowed_list:\t(.*)/.exec(text)?.[1] ?? ''
      })
    const { child, url } = await superviseSite(t, 'workers: { count: 2, pinToCore: true }')
    await answering(url, 2)
    const pinned = childrenOf(child.pid ?? 0).map((pid) => [...new Set(coresOf(pid))])
    for (const cores of pinned) t.match(cores, [/^\d+$/], 'one for all its threads')
    if (availableParallelism() > 1) t.not(pinned[0]?.[0], pinned[1]?.[0])
  },
)

import { spawnSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer } from 'node:net'
import t, { type Test } from 'tap'
import { folder, put, type RunningBinary, run, serve } from '../support/binary.ts'
import { authorityOf, type Issued, replace } from '../support/certificates.ts'
import {
  answering,
  ask,
  childrenOf,
  configuration,
  eventually,
  SITE,
} from '../support/supervised.ts'

const VIEWS = `import { counter, path, text, urlconf } from 'uwas'
const asked = counter('site_asked_total', { help: 'Asked.', labels: ['path'] })
const who = (req) => {
  asked.add({ path: req.path })
  return text(String(process.pid))
}
const slow = async (req) => {
  await new Promise((done) => setTimeout(done, 700))
  return who(req)
}
export const urls = urlconf(path('/', who), path('/slow', slow))
`

interface Watched extends RunningBinary {
  readonly root: string
  readonly url: string
  readonly status: string
  metrics(): Promise<string>
  /** Sum of a metric's samples that have all of these in their labels. */
  sum(name: string, ...labels: string[]): Promise<number>
}

async function watched(t: Test, keys: string): Promise<Watched> {
  const root = folder(t, {
    'uwas.config.ts': configuration(`status: { listen: '127.0.0.1:0' }, ${keys}`),
    'urls.ts': VIEWS,
  })
  const running = await serve(t, ['serve', '--port', '0'], { cwd: root })
  const [, status = ''] = await running.printed(/status, metrics and health: (http:\S+)\n/)
  const metrics = async () => (await fetch(`${status}/metrics`)).text()
  return {
    ...running,
    root,
    url: `http://127.0.0.1:${running.port}`,
    status,
    metrics,
    async sum(name, ...labels) {
      const lines = (await metrics()).split('\n').filter((line) => /^[^#]/.test(line))
      const own = lines.filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
      return own
        .filter((line) => labels.every((label) => line.includes(label)))
        .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0)
    },
  }
}

t.test('one scrape shows the sum of all workers, and is valid', async (t) => {
  const { url, sum, metrics, status } = await watched(t, 'workers: 2')
  await answering(url, 2)
  const before = await sum('site_asked_total')
  for (let i = 0; i < 40; i++) await ask(url)
  t.equal(await sum('site_asked_total'), before + 40)
  t.equal(await sum('uwas_workers', 'state="ready"'), 2)
  t.equal(await sum('uwas_build_info'), 1)
  const text = await metrics()
  for (const worker of [1, 2]) {
    t.match(
      text,
      new RegExp(`uwas_process_memory_bytes\\{worker="${worker}",kind="resident"\\} \\d+`),
    )
  }
  t.match(text, /uwas_event_loop_delay_seconds_count \d+\n/)
  const promtool = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' })
  if (promtool.error !== undefined) t.comment('promtool is not there: apt-get install prometheus')
  else t.strictSame([promtool.status, promtool.stdout, promtool.stderr], [0, '', ''])
  const page = await fetch(status, { headers: { accept: 'text/html' } })
  t.match(await page.text(), 'site_asked_total', 'the page shows the metrics of the site, too')
})

t.test('when certificates end is told over all workers, a rotation and a reload', async (t) => {
  const authority = authorityOf(t)
  const place = authority.issue('first', ['x.test'], { from: -1, to: 30 })
  const next = authority.issue('next', ['y.test', 'x.test'], { from: -1, to: 60 })
  const endOf = ({ certFile }: Issued) =>
    Date.parse(new X509Certificate(readFileSync(certFile)).validTo) / 1000
  const { certFile, keyFile } = place
  const tls = `tls: { port: 0, certificates: [${JSON.stringify({ certFile, keyFile })}] }`
  const log = `accessLog: { file: '/dev/full' }`
  const { metrics, sum, url, child, printed, stderr } = await watched(
    t,
    `workers: 2, ${log}, ${tls}`,
  )
  const told = async () => (await metrics()).match(/^uwas_tls_\w+\{.*$/gm) ?? []
  const line = (name: string, seconds: number) =>
    `uwas_tls_certificate_expiry_timestamp_seconds{name="${name}"} ${seconds}`
  const before = endOf(place)
  t.strictSame(await told(), [line('x.test', before)])
  const idle = connect(Number(new URL(url).port), '127.0.0.1')
  t.teardown(() => idle.destroy())
  await eventually(
    'it is open',
    async () => (await sum('uwas_connections_open', 'scheme="http"')) === 1,
  )
  t.equal(await sum('uwas_connections_open', 'scheme="https"'), 0)
  replace(place, next)
  await eventually(
    'both workers have the new one',
    async () => (await told()).join() === line('y.test', endOf(next)),
  )
  t.not(endOf(next), before)
  await fetch(url, { redirect: 'manual' })
  await eventually(
    'a line is lost',
    async () => (await sum('uwas_access_log_lines_dropped_total')) >= 1,
  )
  const from = stderr().length
  child.kill('SIGHUP')
  await printed(/reloaded in/, from)
  t.strictSame(await told(), [line('y.test', endOf(next))])
})

t.test(
  'counters never go back: a worker is killed, all are reloaded, one is told to end',
  async (t) => {
    const { url, sum, child, status, printed, stderr } = await watched(t, 'workers: 2')
    await answering(url, 2)
    for (let i = 0; i < 20; i++) await ask(url)
    let last = await sum('site_asked_total')
    t.ok(last >= 20)
    const grows = async (what: string) => {
      const now = await sum('site_asked_total')
      t.ok(now >= last, `${what}: ${last} → ${now}`)
      last = now
    }
    const [victim = 0] = childrenOf(child.pid ?? 0)
    process.kill(victim, 'SIGKILL')
    await grows('at once')
    await eventually(
      'another one serves',
      async () => (await sum('uwas_workers', 'state="ready"')) === 2,
    )
    await grows('killed')
    t.equal(await sum('uwas_worker_restarts_total', 'reason="crash"'), 1)
    const from = stderr().length
    child.kill('SIGHUP')
    await printed(/reloaded in/, from)
    await grows('reloaded')
    t.equal(await sum('uwas_reloads_total'), 1)
    await eventually(
      'the old ones have gone',
      async () => (await sum('uwas_workers', 'state="stopping"')) === 0,
    )
    await grows('gone')
    const counted = last
    for (let i = 0; i < 10; i++) await ask(url)
    await grows('asked')
    t.equal(last, counted + 10)
    t.equal((await fetch(`${status}/readyz`)).status, 200)
  },
)

t.test('what a worker has counted to its end is not lost when it drains', async (t) => {
  const { url, sum, child, printed, stderr } = await watched(t, 'workers: 1')
  const before = await sum('site_asked_total')
  const slow = ask(`${url}/slow`)
  await eventually('it is asked', async () => (await sum('uwas_workers', 'state="ready"')) === 1)
  const from = stderr().length
  child.kill('SIGHUP')
  await printed(/reloaded in/, from)
  await slow
  await eventually(
    'the old one has gone',
    async () => (await sum('uwas_workers', 'state="stopping"')) === 0,
  )
  t.equal(await sum('site_asked_total'), before + 1)
})

t.test('one process without workers has the same listener', async (t) => {
  const { url, sum, status, child, finished } = await watched(t, 'workers: 0')
  for (let i = 0; i < 5; i++) await ask(url)
  t.equal(await sum('site_asked_total'), 5)
  t.equal((await fetch(`${status}/readyz`)).status, 200)
  t.match(await (await fetch(`${status}/status.json`)).json(), {
    pid: child.pid,
    workers: [{ worker: 1, state: 'ready', requests: 5 }],
    readiness: { status: 'ready' },
  })
  child.kill('SIGTERM')
  t.equal((await finished).code, 0, 'the listener keeps nothing alive')
})

t.test('the site cannot be reached there, nor the listener by the site', async (t) => {
  const { url, status } = await watched(t, 'workers: 1')
  t.equal((await fetch(`${status}/slow`)).status, 404)
  t.equal((await fetch(`${url}/metrics`)).status, 404)
  t.equal((await fetch(`${url}/status.json`)).status, 404)
})

t.test('while the server stops it says so until the last reply has left', async (t) => {
  const { url, status, child, finished, printed } = await watched(
    t,
    'workers: { count: 1, stopDelayMs: 60_000 }',
  )
  await ask(url)
  child.kill('SIGTERM')
  await printed(/not ready any more/)
  const readyz = await fetch(`${status}/readyz`)
  t.strictSame([readyz.status, await readyz.json()], [503, { status: 'draining', checks: {} }])
  t.equal((await fetch(`${status}/healthz`)).status, 200)
  child.kill('SIGTERM')
  await finished
})

t.test('a check that fails makes the server unready, on both listeners', async (t) => {
  const { url, status } = await watched(t, 'workers: 2, health: { checks: { mail: () => false } }')
  for (const where of [url, status]) {
    const readyz = await fetch(`${where}/readyz`)
    const unready = { status: 'unready', checks: { mail: 'failed' } }
    t.strictSame([readyz.status, await readyz.json()], [503, unready], where)
  }
})

t.test('a reload gives the token anew, and cannot change the address', async (t) => {
  const { root, status, child, printed, stderr } = await watched(t, 'workers: 1')
  const reload = async (keys: string, pattern: RegExp) => {
    put(root, 'uwas.config.ts', configuration(keys))
    const from = stderr().length
    child.kill('SIGHUP')
    await printed(pattern, from)
  }
  await reload(
    "workers: 1, status: { listen: '127.0.0.1:0', token: 'sixteen-and-more' }",
    /reloaded in/,
  )
  t.equal((await fetch(`${status}/metrics`)).status, 401)
  await reload('workers: 1', /the configuration changes status\.listen, which a reload cannot do/)
  t.equal((await fetch(`${status}/healthz`)).status, 200)
})

t.test('an address that is taken ends the start, and says so', async (t) => {
  const other = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => other.once('listening', resolve))
  t.teardown(() => other.close())
  const { port } = other.address() as AddressInfo
  for (const workers of [0, 1]) {
    const root = folder(t, {
      'uwas.config.ts': configuration(
        `workers: ${workers}, status: { listen: '127.0.0.1:${port}' }`,
      ),
      'urls.ts': SITE,
    })
    const { code, stderr } = await run(['serve', '--port', '0'], { cwd: root })
    t.equal(code, 2)
    t.match(
      stderr,
      `the status listener cannot listen on 127.0.0.1:${port}: another program listens there. Choose another address for status.listen [UWAS_ERR_SUPERVISOR_STATUS]`,
    )
  }
})

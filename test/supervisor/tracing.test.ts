/** Traces of several workers, and a stop while the collector hangs. */
import t from 'tap'
import { run } from '../support/binary.ts'
import { collectorOf } from '../support/collector.ts'
import { ask, eventually, superviseSite } from '../support/supervised.ts'

t.test('each worker tells of its own requests, under a name of its own', async (t) => {
  const collector = await collectorOf(t)
  const server = await superviseSite(t, 'workers: 2', {
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_SERVICE_NAME: 'shop' },
  })
  const seen = new Set<string>()
  let asked = 0
  await eventually('both workers have answered', async () => {
    seen.add(String(await ask(server.url)))
    asked++
    return seen.size === 2
  })
  server.child.kill('SIGTERM')
  t.equal((await server.finished).code, 0)
  t.same(collector.problems, [])
  t.equal(collector.spans.length, asked, 'what had ended before the stop is told')
  const resources = collector.spans.map(({ resource }) => resource)
  t.same(new Set(resources.map((one) => String(one['process.pid']))), seen)
  t.equal(new Set(resources.map((one) => one['service.instance.id'])).size, 2)
  t.same(new Set(resources.map((one) => one['service.name'])), new Set(['shop']))
})

for (const workers of [0, 1]) {
  t.test(`a collector that hangs holds up no stop (workers: ${workers})`, async (t) => {
    const collector = await collectorOf(t)
    collector.answer = () => {}
    const server = await superviseSite(
      t,
      `workers: ${workers}, tracing: { endpoint: '${collector.url}', timeoutMs: 600_000 }`,
    )
    await ask(server.url)
    server.child.kill('SIGTERM')
    const { code, stderr } = await server.finished
    t.equal(code, 0)
    t.match(stderr, /warning: tracing, http:\S+: 1 span was lost: the server has stopped/)
  })
}

t.test('a worker that is killed while it tells takes nobody with it', async (t) => {
  const collector = await collectorOf(t)
  collector.answer = () => {}
  const server = await superviseSite(t, `workers: 1, tracing: { endpoint: '${collector.url}' }`)
  const first = await ask(server.url)
  await eventually('it is telling', () => collector.requests.length > 0)
  process.kill(Number(first), 'SIGKILL')
  collector.answer = undefined
  await eventually('another one answers', async () => {
    const now = await ask(server.url).catch(() => first)
    return now !== first
  })
  await eventually('and tells', () => collector.spans.length > 0)
  server.child.kill('SIGTERM')
  t.equal((await server.finished).code, 0)
})

t.test('check asks the collector', async (t) => {
  const collector = await collectorOf(t)
  const server = await superviseSite(t, `tracing: { endpoint: '${collector.url}' }`)
  const check = () => run(['check'], { cwd: server.root })
  const fine = await check()
  t.equal(fine.code, 0, fine.stderr)
  t.match(fine.stderr, /is fine: .*a collector of traces/)
  collector.answer = (res) => res.writeHead(404).end()
  const wrong = await check()
  t.equal(wrong.code, 1)
  t.match(
    wrong.stderr,
    /tracing\.endpoint http:\S+\/v1\/traces takes no traces: it answers 404; .* \[UWAS_ERR_COMMANDS_TRACING_ENDPOINT\]/,
  )
  await collector.close()
  const away = await check()
  t.equal(away.code, 0, away.stderr)
  t.match(away.stderr, /warning: tracing\.endpoint http:\S+ takes no traces now: .*ECONNREFUSED/)
})

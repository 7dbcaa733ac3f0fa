import { existsSync, rmSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import {
  buildOpenLoad,
  type LoadEvent,
  missingOpenLoad,
  type WatchedRequest,
  watchLoad,
} from '../../bench/method/open-load.ts'
import { slope } from '../../bench/method/statistics.ts'
import { faultsOf, soakTable, trendsOf } from '../../bench/report/soak.ts'
import {
  type Disturbance,
  type Incident,
  type Judged,
  judge,
  judgeAll,
} from '../../bench/soak/ledger.ts'
import { missingDescriptors, soakPlan } from '../../bench/soak/plan.ts'
import { clientsOf, type MemorySample, processesOf } from '../../bench/soak/processes.ts'
import { type SoakOutcome, soak } from '../../bench/soak/run.ts'
import { SoakSite } from '../../bench/soak/site.ts'

// A server with its database is started, disturbed and stopped.
t.setTimeout(300_000)

const skip =
  missingOpenLoad() ??
  (process.platform !== 'linux' && 'the load is made of epoll, and /proc is read')

t.test('options have defaults, and what they do not know is refused with words', async (t) => {
  t.same(soakPlan([]), {
    minutes: 30,
    rate: 500,
    workers: 2,
    disturbances: ['reload', 'kill', 'stuck', 'recycle', 'upgrade'],
    pause: 12,
    idle: 0,
  })
  t.same(soakPlan(['--disturb', 'kill,reload', '--minutes', '0.5']).disturbances, [
    'kill',
    'reload',
  ])
  t.same(soakPlan(['--disturb', 'none']).disturbances, [])
  t.throws(() => soakPlan(['--disturb', 'kill,bomb']), {
    message:
      '--disturb has "bomb"; it takes reload, kill, stuck, recycle, upgrade, by commas, or none',
  })
  t.throws(() => soakPlan(['--minutes', 'long']), /--minutes is long; .* from 0.1 to 10080/)
  t.throws(() => soakPlan(['--rate', '1']), /--rate is 1; .* from 20 to 100000/)
  t.throws(() => soakPlan(['--wrong', '1']), /--wrong/)
  t.equal(missingDescriptors(10_000, 20_000), undefined)
  t.match(missingDescriptors(10_000, 4096), /takes 11000 descriptors a process, and 4096 is the/)
})

/** Times are milliseconds. */
function disturbance(more: Partial<Disturbance>): Disturbance {
  return {
    name: 'reload',
    startedAt: 100_000,
    endedAt: 103_000,
    victims: new Set(),
    victimsAt: 0,
    ...more,
  }
}

function incident(kind: Incident['kind'], more: Partial<Incident> = {}): Incident {
  return {
    client: 'kept',
    kind,
    at: 101_000,
    from: '127.0.1.1:5000',
    opened: 90_000,
    sent: 100_990,
    request: 7,
    detail: 'GET /: nothing came',
    ...more,
  }
}

t.test('nothing that was asked may fail during a reload', async (t) => {
  const all = [disturbance({})]
  for (const kind of ['reset', 'closed', 'timeout', 'status', 'length', 'refused'] as const) {
    t.equal(judge(incident(kind), all), 'fault', kind)
  }
  t.equal(judge(incident('idle-closed'), all), 'closed')
  t.equal(judge(incident('stream-closed'), all), 'closed')
  t.equal(judge(incident('retried'), all), 'retried')
  t.equal(judge(incident('retried', { sent: 99_000 }), all), 'fault', 'the server had it')
  t.equal(judge(incident('stream-refused'), all), 'fault')
})

t.test('what is opened after a reload is nothing that it may close', async (t) => {
  const times = { at: 104_000, sent: 103_990 }
  for (const kind of ['idle-closed', 'retried', 'stream-closed'] as const) {
    const judged = (opened: number, endedAt: number | undefined) =>
      judge(incident(kind, { ...times, opened }), [disturbance({ endedAt })])
    t.equal(judged(103_001, 103_000), 'fault', kind)
    t.not(judged(103_000, 103_000), 'fault', kind)
    t.not(judged(103_001, undefined), 'fault', `${kind}, while it lasts`)
  }
})

t.test('a killed worker takes what it had with it, and nothing else', async (t) => {
  const victims = new Set(['127.0.1.1:5000'])
  const all = [disturbance({ name: 'kill', victims, victimsAt: 100_010 })]
  for (const kind of ['reset', 'closed', 'timeout', 'retried', 'stream-closed'] as const) {
    t.equal(judge(incident(kind), all), 'victim', kind)
  }
  t.equal(judge(incident('reset', { from: '127.0.1.2:5000' }), all), 'fault')
  t.equal(judge(incident('reset', { opened: 100_020 }), all), 'fault', 'opened when it was dead')
  t.equal(judge(incident('idle-closed'), all), 'victim')
  const other = { from: '127.0.1.2:5000' }
  for (const kind of ['idle-closed', 'retried', 'stream-closed'] as const) {
    t.equal(judge(incident(kind, other), all), 'fault', `${kind}: the others close nothing`)
    t.not(judge(incident(kind, other), [disturbance({}), ...all]), 'fault', 'but after a reload')
  }
  t.equal(judge(incident('status'), all), 'fault', 'who is dead answers nothing')
  t.equal(judge(incident('refused'), all), 'fault')
})

t.test('where nothing disturbs the server nothing may close', async (t) => {
  const late = { at: 200_000, sent: 199_999 }
  for (const kind of ['idle-closed', 'retried', 'stream-closed', 'stream-silent'] as const) {
    t.equal(judge(incident(kind, late), [disturbance({})]), 'fault', kind)
  }
  const [one] = judgeAll([incident('reset', late)], [disturbance({})])
  t.equal(one?.during, 'quiet')
  // The old workers of a reload have some time for what they have begun.
  t.equal(judgeAll([incident('reset', { at: 112_000 })], [disturbance({})])[0]?.during, 'reload')
})

t.test('a slope is that of most points, whatever some of them do', async (t) => {
  const straight = Array.from({ length: 101 }, (_, i) => [i, 3 * i + 5] as const)
  t.match(slope(straight), { middle: 3, low: 3, high: 3, points: 101 })
  const wild = straight.map(([x, y]) => [x, x % 10 === 0 ? y + 1000 : y] as const)
  t.ok(Math.abs(slope(wild).middle - 3) < 0.1, String(slope(wild).middle))
  const noise = straight.map(([x]) => [x, (x * 7919) % 13] as const)
  const { low, high } = slope(noise)
  t.ok(low < 0 && high > 0, `${low} to ${high}`)
  t.ok(Number.isNaN(slope(straight.slice(0, 2)).middle))
})

/** A sample every ten seconds; `mib` by the number of the sample. */
function samplesOf(count: number, mib: (i: number) => number): MemorySample[] {
  return Array.from({ length: count }, (_, i) => ({
    at: i * 10_000,
    uwasMib: mib(i),
    postgresMib: 50,
    descriptors: 100,
    processes: 3,
  }))
}

t.test('memory that grows is told from memory that goes up and down', async (t) => {
  const verdict = (samples: MemorySample[]) => trendsOf(samples, 2).map((one) => one.verdict)
  t.same(verdict(samplesOf(200, (i) => 100 + (i % 7))), ['flat', 'flat', 'flat'])
  t.same(verdict(samplesOf(200, (i) => 100 + i)), ['grows', 'flat', 'flat'])
  const growing = trendsOf(
    samplesOf(200, (i) => 100 + i).map((one, i) => ({ ...one, postgresMib: i })),
    2,
  )
  t.same(faultsOf(outcome({}), growing), ['uwas grows'], 'PostgreSQL may fill its buffers')
  t.equal(verdict(samplesOf(60, (i) => 100 + i))[0], 'too short to tell')
  // While a second set of workers is there, nothing is said of either.
  const twice = samplesOf(200, (i) => 100 + (i % 7)).map((one, i) =>
    i % 3 === 0 ? { ...one, uwasMib: 500 + 9 * i, processes: 5 } : one,
  )
  t.equal(verdict(twice)[0], 'flat')
})

const PLAN = soakPlan(['--minutes', '1', '--rate', '100'])

function outcome(more: Partial<SoakOutcome>): SoakOutcome {
  const load = { seconds: 60, p50: 1, p99: 2, p999: 3, most: 4, lag99: 0, busy: 0 }
  const counts = { requests: 99, errors: 1, sent: 100, retried: 1, opened: 70 }
  return {
    startedAt: 0,
    endedAt: 60_000,
    loads: { kept: { ...load, ...counts } },
    streamMessages: 60,
    disturbances: [disturbance({ name: 'kill' })],
    incidents: [{ ...incident('reset'), verdict: 'victim', during: 'kill' }],
    samples: [],
    idle: undefined,
    leftOver: 0,
    errors: [],
    stopProblem: undefined,
    ...more,
  }
}

t.test('the report says who failed and why that is not right', async (t) => {
  const well = outcome({})
  t.same(faultsOf(well, []), [])
  const text = soakTable(PLAN, well, trendsOf([], 2), [])
  t.match(text, '| kept | 100 | 99 | 1 | 1 | 70 | 1.0 | 2.0 | 3.0 | 4.0 |')
  t.match(text, '| kill | 1 |  | 3.0 | 0 | 1 kept reset | 0 | 0 |')
  t.match(text, 'Passed')
  const ill = outcome({
    incidents: [{ ...incident('refused'), verdict: 'fault', during: 'reload' }],
    disturbances: [disturbance({ problem: 'the file is broken' })],
    idle: { connections: 10, kib: 0.5 },
    leftOver: 1,
    errors: ['[12] uwas: error: a', '[13] uwas: error: a'],
    stopProblem: 'stop has not ended after 30 s',
  })
  const faults = faultsOf(ill, [])
  t.same(faults, [
    '1 failures that a healthy worker could have spared',
    'reload did not work: the file is broken',
    '1 processes are left over',
    'stop did not work: stop has not ended after 30 s',
  ])
  const bad = soakTable(PLAN, ill, [], faults)
  t.match(bad, 'reload: kept refused after 10 ms from 127.0.1.1:5000: GET /: nothing came')
  t.match(bad, '- 2 × [N] uwas: error: a')
  t.match(bad, '10 idle connections: 0.50 KiB of the server')
  const loads = {
    ...well.loads,
    idle: { ...well.loads['kept'], opened: 13 },
  } as SoakOutcome['loads']
  const few = outcome({ loads, idle: { connections: 10, kib: undefined } })
  t.match(soakTable(PLAN, few, [], []), '10 idle connections: 3 were opened again')
  t.match(bad, 'Failed: 1 failures')
  t.match(faultsOf(outcome({ incidents: [] }), []), ['1 failed requests that nobody told of'])
})

t.test('the last line counts what was sent again, by what disturbed the server', async (t) => {
  const again = (during: Judged['during']): Judged => ({
    ...incident('retried'),
    verdict: 'retried',
    during,
  })
  const lastLine = (more: Partial<SoakOutcome>, faults: string[] = []) =>
    soakTable(PLAN, outcome(more), [], faults).split('\n').at(-1)
  const passed = 'Passed: not one request failed that a healthy worker could have answered.'
  const names = ['reload', 'kill', 'upgrade', 'reload'] as const
  const disturbances = names.map((name) => disturbance({ name }))
  const incidents = [again('reload'), again('reload'), again('reload')]
  const counts = 'Requests sent again: 3 in 2 × reload, 0 in 1 × upgrade.'
  t.equal(lastLine({ disturbances, incidents }), `${passed} ${counts}`)
  t.equal(lastLine({ disturbances, incidents }, ['uwas grows']), `Failed: uwas grows. ${counts}`)
  // An upgrade may still be felt when the next disturbance begins.
  t.match(lastLine({ disturbances, incidents: [again('kill')] }), '1 in 1 × kill, 0 in 1 × upgrade')
  t.equal(lastLine({ disturbances: [], incidents: [] }), passed)
})

const RATE = 120

/** Requests of the paths in turn, for a second, and what was told of them. */
async function watched(
  t: Test,
  requests: readonly WatchedRequest[],
  listener: RequestListener,
  connections = 4,
) {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.closeAllConnections())
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  const dir = t.testdir()
  const binary = buildOpenLoad(dir)
  const events: LoadEvent[] = []
  const plan = { binary, port, connections, requests, stem: `${dir}/load` }
  const result = await watchLoad(plan, RATE, 1, (event) => events.push(event)).result
  return { result, events, server, plan }
}

function asking(line: string, more: Partial<WatchedRequest> = {}, body = ''): WatchedRequest {
  const length = body === '' ? '' : `Content-Length: ${body.length}\r\n`
  const text = `${line} HTTP/1.1\r\nHost: x\r\n${length}\r\n${body}`
  return { text, status: 200, repeats: true, ...more }
}

t.test(
  'answers are held against what they have to be, and each failure is told',
  { skip },
  async (t) => {
    const requests = [
      asking('GET /well', { bytes: 5 }),
      asking('GET /unchanged', { status: 304, bytes: 0 }),
      asking('POST /form', { bytes: 10, repeats: false }, 'a=1\r\n\r\nb=2'),
      asking('GET /status'),
      asking('GET /length', { bytes: 6 }),
    ]
    const { result, events } = await watched(t, requests, (request, response) => {
      const { url } = request
      if (url === '/status') response.statusCode = 503
      if (url === '/unchanged') response.statusCode = 304
      if (url === '/form') request.pipe(response.setHeader('Content-Length', 10))
      else response.end(url === '/unchanged' ? undefined : 'hello')
    })
    t.match(result, { sent: RATE, requests: RATE, errors: (2 * RATE) / 5, retried: 0 })
    const kinds = events.map(({ kind, request, status }) => [kind, request % 5, status].join())
    t.same(new Set(kinds), new Set(['status,3,503', 'length,4,200']))
    t.equal(events.length, (2 * RATE) / 5)
    t.ok(events.every(({ from }) => /^127\.0\.1\.\d+:\d+$/.test(from)))
  },
)

t.test(
  'a connection that closes under a request: only what may be is sent again, once',
  { skip },
  async (t) => {
    const requests = [
      asking('GET /well'),
      asking('GET /once'),
      asking('GET /well'),
      asking('POST /form', { repeats: false }, 'a=1'),
      asking('GET /well'),
      asking('GET /never'),
    ]
    let times = 0
    const listener: RequestListener = ({ url = '', socket }, response) => {
      const isFirst = url === '/once' && ++times % 2 === 1
      if (isFirst || url === '/form' || url === '/never') return void socket.destroy()
      response.end('hello')
    }
    // One after the other, each on a connection that has answered before.
    const { result, events } = await watched(t, requests, listener, 1)
    const each = RATE / requests.length
    const kinds = (of: number) =>
      events.filter(({ request }) => request % requests.length === of).map(({ kind }) => kind)
    t.same(kinds(1), Array(each).fill('retried'))
    t.same(new Set(kinds(3)), new Set(['closed']))
    t.same(new Set(kinds(5)), new Set(['retried', 'closed']))
    t.match(result, { requests: 4 * each, errors: 2 * each, retried: 2 * each })
  },
)

t.test('a refused connection is told, and the next one is tried', { skip }, async (t) => {
  const one = await watched(t, [asking('GET /')], (_, response) => void response.end())
  t.same(one.events, [])
  one.server.closeAllConnections()
  await new Promise((resolve) => one.server.close(resolve))
  const events: LoadEvent[] = []
  const { result } = watchLoad(one.plan, RATE, 1, (event) => events.push(event))
  t.match(await result, { sent: RATE, requests: 0, errors: RATE })
  t.same(new Set(events.map(({ kind }) => kind)), new Set(['refused']))
})

t.test('the clients of a process are found by its descriptors', { skip }, async (t) => {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const accepted = new Promise((resolve) => server.once('connection', resolve))
  const socket = connect(port, '127.0.0.1')
  await accepted
  t.same(clientsOf(process.pid, port), new Set([`127.0.0.1:${socket.localPort}`]))
  t.same(clientsOf(process.ppid, port), new Set())
  socket.destroy()
  server.close()
})

t.test('a stop that does not come to its end is told, and nothing stays', { skip }, async (t) => {
  const site = await SoakSite.start(1)
  const first = (await site.status()).pid
  await site.command('upgrade')
  await site.settled(new Set())
  const { pid } = await site.status()
  t.not(pid, first)
  process.kill(pid, 'SIGSTOP')
  t.equal(await site.end(1500), 'stop has not ended after 1.5 s')
  t.same(processesOf(site.dir), { uwas: [], postgres: [] })
  t.notOk(existsSync(site.dir))
})

t.test('a stop that fails is told, and nothing stays', { skip }, async (t) => {
  const site = await SoakSite.start(1)
  rmSync(join(site.dir, 'state/uwas.pid'))
  t.match(await site.end(), /UWAS_ERR_SUPERVISOR_UNREACHABLE/)
  t.same(processesOf(site.dir), { uwas: [], postgres: [] })
})

t.test('a server of its own is soaked, reloaded and loses a worker', { skip }, async (t) => {
  const args = '--minutes 0.3 --rate 40 --pause 1 --disturb kill,reload --idle 200'.split(' ')
  const plan = soakPlan(args)
  const result = await soak(plan, (line) => t.comment(line))
  t.same(faultsOf(result, trendsOf(result.samples, 2)), [])
  t.same(
    result.incidents.filter(({ verdict }) => verdict === 'fault'),
    [],
  )
  t.same(
    result.disturbances.slice(0, 2).map(({ name }) => name),
    ['kill', 'reload'],
  )
  t.ok((result.disturbances[0]?.victims.size ?? 0) > 0, 'the killed worker had clients')
  for (const name of ['kept', 'fresh', 'idle']) t.ok((result.loads[name]?.requests ?? 0) > 10, name)
  t.ok(result.streamMessages > 0)
  t.ok(result.samples.every(({ uwasMib, postgresMib }) => uwasMib > 20 && postgresMib > 5))
})

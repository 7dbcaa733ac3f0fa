/** Limits of connections: who is refused and how, who is not, and that every end is counted, however it comes. */
import { createHook } from 'node:async_hooks'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'
import t, { type Test } from 'tap'
import { createLog } from '../../src/core/log.ts'
import { text } from '../../src/http/reply.ts'
import { loadNative } from '../../src/native/load.ts'
import { Registry } from '../../src/observe/metrics/registry.ts'
import { measureServer } from '../../src/observe/metrics/server-metrics.ts'
import { socket } from '../../src/route/socket.ts'
import { path, urlconf } from '../../src/route/urlconf.ts'
import { listen } from '../../src/server/server.ts'
import { parseConfig } from '../../src/was/config.ts'
import type { UserConfig } from '../../src/was/config-types.ts'
import { authorityOf } from '../support/certificates.ts'
import { raw } from '../support/raw.ts'
import { siteOf, type TestSite } from '../support/serving.ts'
import { handshake } from '../support/sockets.ts'
import { eventually } from '../support/supervised.ts'

t.setTimeout(120_000)

const skip = loadNative().counting === null && 'without the addon connections are not counted'
const { certFile, keyFile } = authorityOf(t).issue('own', ['localhost', 'x.test'])
const GET = 'GET / HTTP/1.1\r\nHost: x.test\r\n\r\n'
const OLD = 'GET / HTTP/1.0\r\nHost: x.test\r\nConnection: keep-alive\r\n\r\n'

type Connections = NonNullable<NonNullable<UserConfig['limits']>['connections']>

const site = (t: Test, connections: Connections, config: UserConfig = {}) =>
  siteOf(t, {
    urls: urlconf(
      path('/', (req) => text(req.client.address)),
      socket('/chat', { message() {} }),
    ),
    database: false,
    tls: { port: 0, redirect: false, certificates: [{ certFile, keyFile }] },
    limits: { connections },
    ...config,
  })

/** A connection from `localAddress` that says something; what comes back is in `said`. */
async function open(port: number, says: string | Buffer, localAddress = '127.0.0.1') {
  const one = connect({ port, host: '127.0.0.1', localAddress })
  const talk = { socket: one, said: '', isOver: false }
  one.on('error', () => {})
  one.on('data', (chunk) => {
    talk.said += chunk
  })
  one.on('close', () => {
    talk.isOver = true
  })
  await once(one, 'connect')
  one.write(says)
  return talk
}

/** How an opening ends; it resolves when it has been answered. */
async function answered(port: number, says: string, localAddress?: string) {
  const talk = await open(port, says, localAddress)
  await eventually('an answer', () => talk.said !== '' || talk.isOver)
  return talk
}

const statusOf = ({ said }: { said: string }) => said.slice(9, 12)

t.test('beyond either limit it is 503 in clear, and closed by TLS', { skip }, async (t) => {
  const { server, log } = await site(t, { total: 5, perAddress: 2, exempt: ['127.0.0.9'] })
  for (const _ of [1, 2]) t.equal(statusOf(await answered(server.port, GET)), '200')
  const third = await answered(server.port, GET)
  await eventually('its end', () => third.isOver)
  const [head = '', content] = third.said.split('\r\n\r\n')
  t.match(head, /^HTTP\/1\.1 503 Service Unavailable\r\n/)
  t.match(head, /\r\nRetry-After: 1(\r\n|$)/)
  t.match(head, /\r\nConnection: close(\r\n|$)/)
  t.match(head, /\r\nX-Content-Type-Options: nosniff(\r\n|$)/)
  t.equal(content, '503 Service Unavailable\n')
  const byTls = await open(server.tlsPort ?? 0, Buffer.from([22, 3, 1, 0, 200]))
  await eventually('its end', () => byTls.isOver)
  t.equal(byTls.said, '')
  for (const from of ['127.0.0.2', '127.0.0.2', '127.0.0.3']) {
    t.equal(statusOf(await answered(server.port, GET, from)), '200', from)
  }
  t.equal(statusOf(await answered(server.port, GET, '127.0.0.4')), '503', 'in all')
  t.equal(statusOf(await answered(server.port, GET, '127.0.0.9')), '200', 'exempt')
  t.match(server.connectionLimits(), { open: 6, refusedTotal: 1, refusedAddress: 2 })
  const lines = () => log.filter((line) => line.includes('connections were refused'))
  await eventually('the log tells it', () =>
    /1 beyond limits.connections.total \(5\)/.test(lines().join()),
  )
  t.match(lines().join(), /beyond limits\.connections\.perAddress \(2\), 127\.0\.0\.1 the last/)
})

/** Openings of all kinds; each gives what ends it. */
const KINDS: Readonly<Record<string, (site: TestSite) => Promise<() => void>>> = {
  'kept alive, closed by the client': async ({ server }) => {
    const { socket } = await answered(server.port, GET)
    return () => socket.end()
  },
  'reset by the client': async ({ server }) => {
    const { socket } = await answered(server.port, GET)
    return () => socket.resetAndDestroy()
  },
  'closed by the server': async ({ server }) => {
    await answered(server.port, GET.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'))
    return () => {}
  },
  'on the strict lane': async ({ server }) => {
    const { socket } = await answered(server.port, OLD)
    return () => socket.resetAndDestroy()
  },
  'a head that never ends': async ({ server }) => {
    const { socket } = await open(server.port, 'GET')
    return () => socket.destroy()
  },
  'a WebSocket': async ({ server }) => {
    const { socket, said } = await answered(server.port, handshake('/chat'))
    if (!said.startsWith('HTTP/1.1 101 ')) throw new Error(`no WebSocket: ${said}`)
    return () => socket.resetAndDestroy()
  },
  'TLS that ends within its handshake': async ({ server }) => {
    const { socket } = await open(server.tlsPort ?? 0, Buffer.from([22, 3, 1, 0, 200]))
    return () => socket.resetAndDestroy()
  },
  'clear words at the door for TLS': async ({ server }) => {
    await answered(server.tlsPort ?? 0, GET)
    return () => {}
  },
  'HTTP/1.1 by TLS': ({ server }) => openTls(server.tlsPort, 'http/1.1', GET),
  'HTTP/2': ({ server }) => openTls(server.tlsPort, 'h2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  'a WebSocket by TLS': ({ server }) => openTls(server.tlsPort, 'http/1.1', handshake('/chat')),
}

async function openTls(port: number | null, protocol: string, says: string): Promise<() => void> {
  const below = connect(port ?? 0, '127.0.0.1')
  const socket = connectTls({
    socket: below,
    servername: 'x.test',
    rejectUnauthorized: false,
    ALPNProtocols: [protocol],
  })
  socket.on('error', () => {})
  await once(socket, 'secureConnect')
  socket.write(says)
  await once(socket, 'data')
  return () => below.destroy()
}

t.test('every connection is counted once, and no more when it has ended', { skip }, async (t) => {
  const all = await site(t, { total: 1000 })
  const { server } = all
  const isOpen = (count: number) => () => server.connectionLimits()?.open === count
  for (const [kind, begin] of Object.entries(KINDS)) {
    const ends = await Promise.all(Array.from({ length: 5 }, () => begin(all)))
    for (const end of ends) end()
    await eventually(`${kind}: all have ended`, isOpen(0))
  }
  const ends: (() => void)[] = []
  const lasting = Object.entries(KINDS).filter(([kind]) => !/server|door/.test(kind))
  for (const [, begin] of lasting) ends.push(await begin(all))
  await eventually('all of them at once', isOpen(lasting.length))
  for (const end of ends) end()
  await eventually('none', isOpen(0))
})

const proxied = (address: string) => `PROXY TCP4 ${address} 198.51.100.1 56324 443\r\n`

t.test('behind a balancer it is the client that counts', { skip }, async (t) => {
  const { server } = await site(t, { perAddress: 2 }, { proxyProtocol: ['127.0.0.1'] })
  const from = (address: string) => answered(server.port, proxied(address) + GET)
  const statuses: string[] = []
  for (const last of [1, 1, 1, 2, 2, 2]) statuses.push(statusOf(await from(`192.0.2.${last}`)))
  t.strictSame(statuses, ['200', '200', '503', '200', '200', '503'])
  t.equal(statusOf(await answered(server.port, GET)), '200', 'the balancer itself')
  const byTls = await open(server.tlsPort ?? 0, proxied('192.0.2.1'))
  await eventually('its end', () => byTls.isOver)
  t.equal(statusOf(await answered(server.port, proxied('192.0.2.3') + GET)), '200')
  const liar = await answered(server.port, proxied('192.0.2.9') + GET, '127.0.0.2')
  t.equal(statusOf(liar), '400', 'nobody else is believed')
})

t.test('an exempt balancer makes none of its clients exempt', { skip }, async (t) => {
  const connections = { total: 1, exempt: ['127.0.0.1'] }
  const { server } = await site(t, connections, { proxyProtocol: ['127.0.0.1'] })
  const from = (address: string) => answered(server.port, proxied(address) + GET)
  t.equal(statusOf(await from('192.0.2.1')), '200')
  t.equal(statusOf(await from('192.0.2.2')), '503')
  t.equal(statusOf(await answered(server.port, GET)), '200', 'the balancer itself')
  t.equal(server.connectionLimits()?.refusedTotal, 1)
})

t.test(
  'proxies hand on the connections of others; unix sockets count in all',
  { skip },
  async (t) => {
    const { server } = await site(t, { total: 4, perAddress: 1 }, { trustedProxies: ['loopback'] })
    for (const _ of [1, 2, 3, 4]) t.equal(statusOf(await answered(server.port, GET)), '200')
    t.equal(statusOf(await answered(server.port, GET)), '503')
    for (const [exempt, statuses] of [
      [[], [true, false]],
      [['unix'], [true, true]],
    ] as const) {
      const dir = mkdtempSync(join(tmpdir(), 'uwas-'))
      t.teardown(() => rmSync(dir, { recursive: true }))
      const file = join(dir, 'own.socket')
      const config = { database: false, limits: { connections: { total: 1, exempt } } } as const
      const { app } = await siteOf(t, config)
      const { limits } = app.config
      const own = await listen(app, {
        port: 0,
        addresses: [{ port: 0, path: file }],
        headers: [],
        connections: limits.connections && { ...limits.connections, shared: [], place: null },
      })
      t.teardown(() => own.close({ graceMs: 0 }))
      const seen: boolean[] = []
      const open: Socket[] = []
      for (const _ of statuses) {
        const one = connect(file)
        one.on('error', () => {})
        let said = ''
        one.on('data', (chunk) => {
          said += chunk
        })
        one.write(GET)
        await eventually('an answer, or its end', () => said !== '' || one.closed)
        seen.push(said.slice(9, 12) === '404')
        open.push(one)
      }
      t.strictSame(seen, statuses)
      for (const one of open) one.destroy()
    }
  },
)

t.test('metrics tell what was refused, by the limit', { skip }, async (t) => {
  const { server } = await site(t, { perAddress: 1 })
  const registry = new Registry()
  measureServer(registry, server)
  await answered(server.port, GET)
  await answered(server.port, GET)
  registry.collect()
  const { families, series, numbers } = registry
  const refused = series
    .filter(({ family }) => families[family]?.name === 'uwas_connections_refused_total')
    .map(({ labels, offset }) => [...labels, numbers[offset]])
  t.strictSame(refused, [
    ['total', 0],
    ['address', 1],
  ])
  const without = new Registry()
  measureServer(without, { ...server, connectionLimits: () => null })
  t.notOk(without.families.some(({ name }) => name === 'uwas_connections_refused_total'))
})

t.test(
  'of several certificates for a name the one that ends first is told',
  { skip },
  async (t) => {
    const { server } = await site(t, { total: 9 })
    const registry = new Registry()
    const ends = [2000, 1000, 3000].map((endsMs) => ({ file: 'x.pem', name: 'x.test', endsMs }))
    measureServer(registry, { ...server, certificateEnds: () => ends })
    registry.collect()
    const { families, series, numbers } = registry
    const told = series
      .filter(({ family }) => families[family]?.name.startsWith('uwas_tls_certificate'))
      .map(({ labels, offset }) => [...labels, numbers[offset]])
    t.strictSame(told, [['x.test', 1]])
  },
)

t.test('where they cannot be counted the log says so, and nobody is refused', async (t) => {
  const { app } = await siteOf(t, { database: false, limits: { connections: { total: 1 } } })
  const lines: string[] = []
  const log = createLog((line) => lines.push(line))
  const connections = { total: 1, perAddress: 1, exempt: [], shared: [], place: null }
  const options = { host: '127.0.0.1', port: 0, headers: [], gate: null, connections }
  const server = await listen({ ...app, log }, options)
  t.teardown(() => server.close({ graceMs: 0 }))
  t.match(lines.join('\n'), /limits\.connections: connections are not limited; that needs Linux/)
  t.equal(server.connectionLimits(), null)
  for (const _ of [1, 2]) t.equal((await raw(server.port, GET)).responses[0]?.status, 404)
})

t.test('what is no such limit is told with its place', async (t) => {
  const wrong = { total: -1, perAdress: 2, exempt: ['10.0.0.0/99'] }
  const raw = { limits: { connections: wrong } }
  const parse = () => parseConfig(raw, { file: '/site/uwas.config.ts', env: {} })
  t.throws(parse, { code: 'UWAS_ERR_WAS_CONFIG' })
  try {
    parse()
  } catch (error) {
    const { message } = error as Error
    t.match(message, 'limits.connections.total is -1; it has to be at least 0')
    t.match(message, 'unknown key "limits.connections.perAdress"; did you mean "perAddress"?')
    t.match(message, 'limits.connections.exempt[0]')
    t.match(message, 'is not a network (10.0.0.0/8, fd00::/8), an address')
  }
})

t.test('what cannot listen leaves no timer behind', { skip }, async (t) => {
  const { app, server: taken } = await siteOf(t, { database: false })
  const timers = new Set<number>()
  // One that has fired may have begun the next.
  const known = new Set<number>()
  let isOpening = true
  const hook = createHook({
    init(id, type, trigger) {
      if (type !== 'Timeout' || !(isOpening || known.has(trigger))) return
      timers.add(id)
      known.add(id)
    },
    destroy: (id) => timers.delete(id),
  }).enable()
  t.teardown(() => hook.disable())
  const connections = { total: 1, perAddress: 1, exempt: [], shared: [], place: null }
  const options = { host: '127.0.0.1', port: taken.port, headers: [], connections }
  await t.rejects(listen(app, options), { code: 'UWAS_ERR_SERVER_LISTEN' })
  isOpening = false
  t.not(timers.size, 0, 'there were some')
  for (let i = 0; i < 100 && timers.size > 0; i++) await sleep(20)
  t.equal(timers.size, 0)
})

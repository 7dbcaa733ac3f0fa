import { request } from 'node:http'
import t, { type Test } from 'tap'
import { text } from '../../src/http/reply.ts'
import { host } from '../../src/route/host.ts'
import { path, urlconf } from '../../src/route/urlconf.ts'
import { createTestClient } from '../../src/testing/test-client.ts'
import { mount } from '../../src/was/mount.ts'
import { temporaryFolder } from '../support/catalogue.ts'
import { openRaw } from '../support/sockets.ts'

const shop = urlconf({ under: '<slug:tenant>.example.org' }, (path, _include, socket) => [
  path('/', (req) => text(`shop of ${req.params.tenant}`)),
  path('/in', async (req) => text(`${(await req.bytes()).byteLength}`), {
    methods: ['POST'],
    maxBodyBytes: 4,
  }),
  socket('/ws', { open: (socket) => void socket.send(socket.params.tenant) }),
])
const api = urlconf(mount('/', (req) => new Response(new URL(req.url).host)))
const urls = urlconf(
  path('/', () => text('anywhere')),
  path('/in', async (req) => text(`${(await req.bytes()).byteLength}`), { methods: ['POST'] }),
  host('<slug:tenant>.example.org', shop),
  host('api.example.org', api),
)

async function site(t: Test, trustedProxies: readonly string[] = []) {
  const client = await createTestClient(
    { urls, trustedProxies, database: false },
    { root: temporaryFolder(t), env: {} },
  )
  t.teardown(() => client.close())
  const ask = (
    method: string,
    at: string,
    asked: string,
    { body = '', ...headers }: Record<string, string> = {},
  ): Promise<string> =>
    new Promise((resolve, reject) => {
      const req = request(client.url + asked, { method, headers: { ...headers, host: at } })
      req.on('error', reject).on('response', (res) => {
        let all = `${res.statusCode} `
        res.on('data', (chunk) => {
          all += String(chunk)
        })
        res.on('end', () => resolve(`${all}${res.headers.allow ?? ''}`))
      })
      req.end(body)
    })
  return { client, ask }
}

t.test('a request is answered by the routes of its host', async (t) => {
  const { ask } = await site(t)
  t.equal(await ask('GET', 'example.com', '/'), '200 anywhere')
  t.equal(await ask('GET', 'acme.example.org:81', '/'), '200 shop of acme')
  t.equal(await ask('GET', 'api.example.org', '/x/y'), '200 api.example.org')
  t.match(await ask('POST', 'acme.example.org', '/'), /^405 .*GET, HEAD, OPTIONS$/s)
  t.match(await ask('GET', 'example.com', '/ws'), /^404/)
  t.match(await ask('GET', 'acme.example.org', '/ws'), /^426/)
  t.equal(await ask('OPTIONS', 'acme.example.org', '/in'), '204 POST, OPTIONS')
})

t.test('a limit of a body counts at its host', async (t) => {
  const { ask } = await site(t)
  const body = 'five!'
  t.equal(await ask('POST', 'example.com', '/in', { body }), '200 5')
  t.match(await ask('POST', 'acme.example.org', '/in', { body }), /^413 .*4 bytes/s)
  t.equal(await ask('POST', 'acme.example.org', '/in', { body: 'four' }), '200 4')
})

t.test('the host is what a trusted proxy says, and nobody else', async (t) => {
  const forwarded = { 'x-forwarded-host': 'acme.example.org' }
  const { ask } = await site(t)
  t.equal(await ask('GET', 'inner', '/', forwarded), '200 anywhere')
  const behind = await site(t, ['loopback'])
  t.equal(await behind.ask('GET', 'inner', '/', forwarded), '200 shop of acme')
  const long = { ...forwarded, body: 'five!' }
  t.match(await behind.ask('POST', 'inner', '/in', long), /^413 .*4 bytes/s)
})

t.test('a WebSocket is opened at its host alone', async (t) => {
  const { client } = await site(t)
  const port = Number(new URL(client.url).port)
  const open = (at: string) => openRaw(port, '/ws', { Host: at, Origin: `http://${at}` })
  const socket = await open('ACME.example.org:80')
  t.match(socket.head, /^HTTP\/1\.1 101 /)
  t.equal(String((await socket.until(1))[0]?.content), 'acme')
  socket.socket.destroy()
  const refused = await open('example.com')
  t.match(refused.head, /^HTTP\/1\.1 404 /)
  refused.socket.destroy()
})

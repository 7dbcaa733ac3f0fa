import { createServer, type RequestListener } from 'node:http'
import { type AddressInfo, BlockList } from 'node:net'
import t, { type Test } from 'tap'
import { isPublicAddress } from '../../../src/was/outside/addresses.ts'
import { fetchOutside, publicLookup } from '../../../src/was/outside/fetch-outside.ts'

/** A server of this machine; what it was asked. */
async function serverOf(t: Test, answer: RequestListener, host = '127.0.0.1') {
  const asked: { url: string; headers: Record<string, unknown> }[] = []
  const server = createServer((req, res) => {
    asked.push({ url: req.url ?? '', headers: req.headers })
    answer(req, res)
  })
  await new Promise<void>((ready) => server.listen(0, host, ready))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { asked, port, url: `http://${host}:${port}` }
}

const refusal = (message: RegExp | string) => ({ code: 'UWAS_ERR_WAS_OUTSIDE', message })

t.test('addresses that lead inside are not public', (t) => {
  for (const address of ['1.1.1.1', '93.184.216.34', '172.32.0.1', '2606:4700:4700::1111']) {
    t.ok(isPublicAddress(address), address)
  }
  for (const address of [
    '127.0.0.1',
    '127.255.0.9',
    '0.0.0.0',
    '10.1.2.3',
    '100.64.0.1',
    '169.254.169.254',
    '168.63.129.16',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '198.18.0.1',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::ffff:127.0.0.1',
    '::ffff:8.8.8.8',
    '::127.0.0.1',
    '64:ff9b::7f00:1',
    '2001::1',
    '2001:db8::1',
    '2002:7f00:1::',
    'fc00::1',
    'fd00:ec2::254',
    'fe80::1',
    'fec0::1',
    'ff02::1',
    'localhost',
    '',
  ]) {
    t.notOk(isPublicAddress(address), address)
  }
  t.end()
})

t.test('no spelling of an address, no name and no scheme leads inside', async (t) => {
  const { asked, port } = await serverOf(t, (_req, res) => res.end('inside'))
  const ports = [port]
  for (const host of [
    '127.0.0.1',
    '2130706433',
    '0x7f.1',
    '0177.0.0.1',
    '127.1',
    '0',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '127.0.0.1.',
    '①②⑦.⓪.⓪.①',
    'localhost',
    'LOCALHOST',
  ]) {
    await t.rejects(
      fetchOutside(`http://${host}:${port}/`, { ports }),
      refusal(/is no public address/),
      host,
    )
  }
  const refuses = (url: string, problem: RegExp) => t.rejects(fetchOutside(url), refusal(problem))
  await refuses('file:///etc/passwd', /only http and https are asked/)
  await refuses('gopher://x/', /only http and https are asked/)
  await refuses('http://user:pw@example.org/', /it holds a name or password/)
  await refuses('http://example.org:22/', /port 22 is none of 80, 443/)
  await refuses('no url', /^asking a URL failed: this is no URL$/)
  await refuses(
    'http://10.0.0.1/a?token=x',
    /^asking http:\/\/10\.0\.0\.1\/a failed: 10\.0\.0\.1 is no public/,
  )
  t.strictSame(asked, [], 'nobody was asked')
})

t.test('a name is judged by all that it resolves to, at the moment of the connection', (t) => {
  const resolve = (addresses: string[]) =>
    ((_name: string, _options: object, done: (error: null, found: object[]) => void) =>
      done(
        null,
        addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
      )) as never
  const looked = (addresses: string[], all: boolean) => {
    let answer: unknown[] = []
    const url = new URL('http://a.example/')
    publicLookup(url, new BlockList(), resolve(addresses))('a.example', { all }, (...args) => {
      answer = args
    })
    return answer
  }
  t.strictSame(looked(['1.1.1.1'], false), [null, '1.1.1.1', 4])
  t.strictSame(looked(['1.1.1.1'], true), [null, [{ address: '1.1.1.1', family: 4 }]])
  t.match(
    looked(['1.1.1.1', '10.0.0.1'], true)[0],
    refusal(/a\.example is 10\.0\.0\.1, which is no/),
  )
  t.match(looked(['::1'], false)[0], refusal(/a\.example is ::1/))
  t.end()
})

t.test('what is allowed is asked, within its limits', async (t) => {
  const { asked, url, port } = await serverOf(t, (req, res) => {
    if (req.url === '/long') res.end('x'.repeat(1000))
    else if (req.url === '/never') res.write('begun')
    else res.setHeader('X-A', 'b').end(`${req.method} ${req.headers.host}`)
  })
  const options = { ports: [port], allow: ['127.0.0.1/32'], maxBytes: 999 }
  const reply = await fetchOutside(`${url}/x`, {
    ...options,
    headers: { Host: 'evil', 'X-B': 'c' },
  })
  t.match(reply, { status: 200, url: `${url}/x` })
  t.equal(Buffer.from(reply.bytes).toString(), `GET 127.0.0.1:${port}`)
  t.equal(reply.headers.get('x-a'), 'b')
  t.match(asked[0]?.headers, { 'x-b': 'c', 'accept-encoding': 'identity', connection: 'close' })
  const posted = await fetchOutside(url, { ...options, method: 'POST', body: 'a' })
  t.match(Buffer.from(posted.bytes).toString(), 'POST')
  await t.rejects(
    fetchOutside(`${url}/long`, options),
    refusal(/its answer is longer than 999 bytes/),
  )
  await t.rejects(fetchOutside(`${url}/never`, { ...options, timeoutMs: 50 }), refusal(/timeout/))
  const signal = AbortSignal.abort(new Error('given up'))
  await t.rejects(fetchOutside(`${url}/never`, { ...options, signal }), refusal(/given up/))
  await t.rejects(fetchOutside(url, { ...options, allow: ['x'] }), {
    code: 'UWAS_ERR_CORE_INVALID_OPTION',
    message: 'fetchOutside(): "x" is no network like 10.1.0.0/16',
  })
})

t.test('each redirect is judged anew, and takes no secret to another origin', async (t) => {
  const inside = await serverOf(t, (_req, res) => res.end('inside'), '127.0.0.2')
  const other = await serverOf(t, (_req, res) => res.end('other'))
  const first = await serverOf(t, (req, res) => {
    const to: Record<string, string> = {
      '/inside': `${inside.url}/`,
      '/file': 'file:///etc/passwd',
      '/other': `${other.url}/`,
      '/loop': '/loop',
      '/here': '/end',
    }
    const location = to[req.url ?? '']
    if (location === undefined) res.end('end')
    else res.writeHead(302, { location }).end()
  })
  const ports = [first.port, other.port, inside.port]
  const options = { ports, allow: ['127.0.0.1/32'], headers: { Authorization: 'Bearer x' } }
  const ask = (path: string, method = 'GET') =>
    fetchOutside(first.url + path, { ...options, method })
  await t.rejects(ask('/inside'), refusal(/127\.0\.0\.2 is no public address/))
  t.strictSame(inside.asked, [])
  await t.rejects(ask('/file'), refusal(/only http and https are asked/))
  await t.rejects(ask('/loop'), refusal(/more than 5 redirects/))
  t.match(await ask('/here'), { status: 200, url: `${first.url}/end` })
  t.equal(first.asked.at(-1)?.headers['authorization'], 'Bearer x')
  t.match(await ask('/other'), { status: 200 })
  t.equal(other.asked[0]?.headers['authorization'], undefined)
  t.match(await ask('/other', 'POST'), { status: 302 }, 'only what reads is sent on')
})

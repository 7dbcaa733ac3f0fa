import fc from 'fast-check'
import t from 'tap'
import { TrustedProxies, type TrustedProxiesOptions } from '../../src/http/forwarded.ts'
import { requestOf } from '../support/request.ts'

function clientOf(
  options: TrustedProxiesOptions,
  remoteAddress: string,
  headers: Record<string, string>,
) {
  const req = requestOf('GET', '/', {
    headers: { host: 'inner:8080', ...headers },
    remoteAddress: () => remoteAddress,
  })
  return new TrustedProxies(options).clientOf(req)
}

const LOCAL = { networks: ['loopback', '10.0.0.0/8'] }

t.test('only trusted proxies are believed, from the nearest outwards', (t) => {
  const addressOf = (remote: string, chain: string) =>
    clientOf(LOCAL, remote, { 'x-forwarded-for': chain }).address
  t.equal(addressOf('203.0.113.9', '198.51.100.1'), '203.0.113.9', 'a stranger may say anything')
  t.equal(addressOf('127.0.0.1', '198.51.100.1'), '198.51.100.1')
  t.equal(addressOf('10.1.2.3', '6.6.6.6, 198.51.100.1, 10.9.9.9'), '198.51.100.1')
  t.equal(addressOf('::1', '2001:db8::7'), '2001:db8::7')
  t.equal(addressOf('127.0.0.1', '6.6.6.6, unknown, 10.0.0.1'), '10.0.0.1', 'a gap ends the chain')
  t.equal(addressOf('127.0.0.1', '[2001:db8::7]:4711'), '2001:db8::7')
  t.equal(addressOf('127.0.0.1', '198.51.100.1:80'), '198.51.100.1')
  t.equal(addressOf('127.0.0.1', '::ffff:198.51.100.1'), '198.51.100.1')
  t.equal(addressOf('127.0.0.1', ''), '127.0.0.1')
  t.equal(addressOf('127.0.0.1', '10.0.0.1, 10.0.0.2'), '10.0.0.1', 'all are ours')
  t.end()
})

t.test('who comes by a unix socket is believed where the site says so, and only there', (t) => {
  const fields = { 'x-forwarded-for': '198.51.100.1' }
  t.equal(clientOf({ networks: ['unix'] }, 'unix:', fields).address, '198.51.100.1')
  t.equal(clientOf({ networks: ['unix'] }, '127.0.0.1', fields).address, '127.0.0.1')
  t.equal(clientOf({ networks: ['unix'] }, '', fields).address, '', 'who is gone is nobody')
  t.equal(clientOf(LOCAL, 'unix:', fields).address, 'unix:')
  const chain = { 'x-forwarded-for': '198.51.100.1, unix:' }
  t.equal(clientOf({ networks: ['unix'] }, 'unix:', chain).address, 'unix:', 'no address in a list')
  t.end()
})

t.test('scheme and host come from the nearest proxy, if they are such', (t) => {
  const client = (headers: Record<string, string>) => clientOf(LOCAL, '127.0.0.1', headers)
  t.match(client({ 'x-forwarded-proto': 'http, https', 'x-forwarded-host': 'evil, a.test' }), {
    scheme: 'https',
    host: 'a.test',
  })
  t.match(client({ 'x-forwarded-proto': 'ftp', 'x-forwarded-host': 'a b/c' }), {
    scheme: 'http',
    host: 'inner:8080',
  })
  for (const host of ['[....]', '[1:2]:80', '[v7.a]', '[::1']) {
    t.equal(client({ 'x-forwarded-host': host }).host, 'inner:8080', host)
  }
  t.equal(client({ 'x-forwarded-host': '[2001:db8::7]:8443' }).host, '[2001:db8::7]:8443')
  const stranger = clientOf(LOCAL, '203.0.113.9', { 'x-forwarded-proto': 'https' })
  t.equal(stranger.scheme, 'http')
  t.end()
})

t.test('Forwarded is read where it is chosen, and then the other field is not', (t) => {
  const options = { ...LOCAL, field: 'forwarded' as const }
  const forwarded =
    'for=6.6.6.6;host=evil, For="[2001:db8::7]:4711" ; proto=https;host="a.test:443", for=10.1.1.1;proto=https;host=b.test'
  t.strictSame(clientOf(options, '127.0.0.1', { forwarded, 'x-forwarded-for': '7.7.7.7' }), {
    address: '2001:db8::7',
    scheme: 'https',
    host: 'b.test',
  })
  t.equal(clientOf(LOCAL, '127.0.0.1', { forwarded }).address, '127.0.0.1')
  t.equal(
    clientOf(options, '127.0.0.1', { forwarded: 'for="_hidden, 6.6.6.6"' }).address,
    '127.0.0.1',
  )
  t.end()
})

t.test('a quote that a client leaves open does not swallow what the proxy says', (t) => {
  const forwarded = (value: string) =>
    clientOf({ ...LOCAL, field: 'forwarded' }, '127.0.0.1', { forwarded: value })
  const proxy = 'for=198.51.100.1;proto=https;host=good.test'
  const told = { address: '198.51.100.1', scheme: 'https', host: 'good.test' }
  for (const forged of [
    'for=6.6.6.6;host=evil.test;x="',
    'for=6.6.6.6;host=evil.test;x="\\"',
    'for=6.6.6.6;host=evil.test;x="a, b',
    'for=6.6.6.6, for="6.6.6.6',
    '"',
  ]) {
    t.match(forwarded(`${forged}, ${proxy}`), told, forged)
    const quoted = forwarded(`${forged}, for="[2001:db8::1]:80";host=good.test`)
    t.match(quoted, { address: '2001:db8::1', host: 'good.test' }, forged)
  }
  t.equal(forwarded('for=6.6.6.6;x="').address, '127.0.0.1', 'no proxy has spoken')
  t.end()
})

t.test('no field, however mad, gives what is no address', (t) => {
  const text = fc.string({ unit: fc.constantFrom(...'0123456789abcdef.:,;="[] \\_/for') })
  fc.assert(
    fc.property(text, fc.boolean(), (value, isForwarded) => {
      const field = isForwarded ? 'forwarded' : 'x-forwarded-for'
      const { address } = clientOf({ ...LOCAL, field }, '127.0.0.1', { [field]: value })
      t.match(address, /^[0-9a-f.:]+$/i)
    }),
  )
  t.end()
})

t.test('what is no network is refused at start', (t) => {
  for (const network of ['10.0.0.0/33', '10.0.0/8', 'localhost', '::1/129', '1.2.3.4/', '1/2/3']) {
    t.throws(() => new TrustedProxies({ networks: [network] }), {
      code: 'UWAS_ERR_HTTP_TRUSTED_PROXY',
      message: `trustedProxies: "${network}" is no network; write an address`,
    })
  }
  t.end()
})

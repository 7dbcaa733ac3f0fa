import t from 'tap'
import { isCodedError } from '../../src/core/errors.ts'
import { addressesOf, nameOf } from '../../src/was/address.ts'
import { parseConfig } from '../../src/was/config.ts'

const FILE = '/site/uwas.config.ts'
const certificates = [{ certFile: 'a.pem', keyFile: 'b.pem' }]

function parse(raw: object, env: Record<string, string> = {}) {
  return parseConfig(raw, { file: FILE, env })
}

function problems(raw: object, env: Record<string, string> = {}): string[] {
  try {
    parse(raw, env)
  } catch (error) {
    if (!isCodedError(error)) throw error
    return error.message.split('\n  - ').slice(1)
  }
  return []
}

const tcp = { path: null, mode: 0o666 }

t.test('addresses of all kinds are read', async (t) => {
  const listen = [
    '80',
    '*:81',
    '127.0.0.1:82',
    '[::1]:83',
    '[fe80::1%eth0]:83',
    'example.org:84',
    '0',
  ]
  t.strictSame(parse({ listen }).listen, [
    { host: null, port: 80, ...tcp },
    { host: null, port: 81, ...tcp },
    { host: '127.0.0.1', port: 82, ...tcp },
    { host: '::1', port: 83, ...tcp },
    { host: 'fe80::1%eth0', port: 83, ...tcp },
    { host: 'example.org', port: 84, ...tcp },
    { host: null, port: 0, ...tcp },
  ])
  t.strictSame(parse({ listen: ['unix:run/s', { path: '/t', mode: 0o600 }] }).listen, [
    { host: null, port: 0, path: '/site/run/s', mode: 0o666 },
    { host: null, port: 0, path: '/t', mode: 0o600 },
  ])
  t.strictSame(parse({ tls: { certificates, listen: ['[::]:443'] } }).tls?.listen, [
    { host: '::', port: 443, ...tcp },
  ])
})

t.test('without the key host and port are the only address', async (t) => {
  t.equal(parse({ host: 'x', port: 1 }).listen, null)
  t.strictSame(addressesOf(parse({ host: 'x', port: 1 })), [{ host: 'x', port: 1, ...tcp }])
})

t.test('they are told as people write them', async (t) => {
  const names = addressesOf(parse({ listen: ['80', '[::1]:83', 'x:84', 'unix:s'] })).map(nameOf)
  t.strictSame(names, ['*:80', '[::1]:83', 'x:84', 'unix:/site/s'])
})

t.test('PORT of the environment stands in place of them', async (t) => {
  const config = parse({ listen: ['80', '81'] }, { PORT: '9000' })
  t.strictSame(addressesOf(config), [{ host: null, port: 9000, ...tcp }])
})

t.test('what is no address is told with its place', async (t) => {
  for (const wrong of ['', 'x', ':80', '::1:80', '[::1]', '65536', '1.2.3.4', 'unix:', 'a b:80']) {
    t.strictSame(problems({ listen: ['80', wrong] }), [
      `listen[1] is ${JSON.stringify(wrong)}; give '80', '127.0.0.1:80', '[::1]:80' or 'unix:/run/site.sock'`,
    ])
  }
  t.match(problems({ listen: [] }), [/listen/])
  t.match(problems({ listen: '80' }), [/listen is "80"/])
  t.match(problems({ listen: [80] }), [
    "listen[0] is 80; it has to be an address like '127.0.0.1:80', or { path, mode }",
  ])
  t.match(problems({ listen: [{ path: 's', mod: 1 }] }), [/mod.*mode/])
  t.match(problems({ listen: [{ path: '' }] }), ['listen[0].path is empty; name a file'])
})

t.test('keys that contradict one another are told', async (t) => {
  t.strictSame(problems({ listen: ['1'], port: 2 }), ['listen stands in place of port; drop one'])
  t.strictSame(problems({ listen: ['1'], host: 'x' }), ['listen stands in place of host; drop one'])
  t.strictSame(problems({ listen: ['80', '*:80'] }), ['*:80 is listened on twice; once is enough'])
  t.strictSame(problems({ listen: ['0', '0'] }), [], 'any free port is another one each time')
  t.strictSame(problems({ listen: ['unix:s', { path: 's' }] }), [
    'unix:/site/s is listened on twice; once is enough',
  ])
  t.strictSame(problems({ listen: ['80', '0.0.0.0:80'] }), [
    '0.0.0.0:80 is among *:80 already; drop one of the two',
  ])
  const tls = { certificates, listen: ['443', 'unix:s'] }
  t.strictSame(problems({ listen: ['443'], tls }), [
    'tls.listen has a unix socket: /site/s can be in listen alone',
    '*:443 is listened on twice; once is enough',
  ])
  t.strictSame(problems({ tls: { certificates, listen: ['443'], port: 1 } }), [
    'tls.listen stands in place of tls.port; drop one',
  ])
})

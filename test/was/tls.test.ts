/** The key `tls`: what it comes to, and what is refused. */
import t from 'tap'
import { parseConfig } from '../../src/was/config.ts'

const parse = (tls: unknown, more: object = {}) =>
  parseConfig({ tls, ...more }, { file: '/site/uwas.config.ts', env: {} }).tls

function problems(tls: unknown, more: object = {}): string[] {
  try {
    parse(tls, more)
  } catch (error) {
    const { code, message } = error as { code: string; message: string }
    t.equal(code, 'UWAS_ERR_WAS_CONFIG')
    return message
      .split('\n')
      .slice(1)
      .map((line) => line.replace('  - ', ''))
  }
  return []
}

const pair = { certFile: 'tls/cert.pem', keyFile: '/etc/key.pem' }
const certificates = [pair]

t.test('it is complete, and its paths start from the folder of the file', async (t) => {
  t.strictSame(parse({ certificates }), {
    port: 8443,
    listen: null,
    certificates: [
      { certFile: '/site/tls/cert.pem', keyFile: '/etc/key.pem', passphrase: null, names: null },
    ],
    acme: null,
    policy: 'intermediate',
    unknownNames: 'first',
    http2: true,
    redirect: true,
    publicPort: null,
    hsts: null,
  })
  t.equal(parse(undefined), null)
})

t.test('HSTS is off, a year, or as it is said', async (t) => {
  const hsts = (value: unknown) => parse({ certificates, hsts: value })?.hsts
  t.equal(hsts(false), null)
  t.equal(hsts(true), 'max-age=31536000')
  t.equal(hsts({}), 'max-age=31536000')
  t.equal(hsts({ maxAgeSeconds: 0 }), 'max-age=0')
  const all = { maxAgeSeconds: 63_072_000, includeSubdomains: true, preload: true }
  t.equal(hsts(all), 'max-age=63072000; includeSubDomains; preload')
})

t.test('what cannot be is told with its place', async (t) => {
  t.strictSame(problems({}), [
    'tls has no certificate; name files in tls.certificates, or say tls.acme',
  ])
  t.strictSame(problems({ certificates: [] }), [
    'tls.certificates is a list; it has to be at least 1',
  ])
  t.strictSame(problems({ certificates, ports: 1 }), [
    'unknown key "tls.ports"; did you mean "port"?',
  ])
  t.strictSame(problems({ certificates: [{ ...pair, certfile: 'a' }] }), [
    'unknown key "tls.certificates[0].certfile"; did you mean "certFile"?',
  ])
  t.strictSame(problems({ certificates: [{ ...pair, names: ['Example.org'] }] }), [
    'tls.certificates[0].names[0] is no name like example.org or *.example.org: small ASCII letters',
  ])
  t.strictSame(problems({ certificates: [{ certFile: '', keyFile: 'a' }] }), [
    'tls.certificates[0].certFile is empty; name a file',
  ])
  t.strictSame(problems({ certificates, policy: 'old' }), [
    'tls.policy is "old"; it has to be one of "intermediate", "modern"',
  ])
  t.strictSame(problems({ certificates, hsts: 'yes' }), [
    'tls.hsts is "yes"; it has to be true, false, or { maxAgeSeconds, includeSubdomains, preload }',
  ])
})

t.test('a passphrase that is no text is not quoted', async (t) => {
  for (const passphrase of [4711, '', null]) {
    t.strictSame(problems({ certificates: [{ ...pair, passphrase }] }), [
      'tls.certificates[0].passphrase is no text; set it from the environment',
    ])
  }
})

t.test('keys that contradict one another are told', async (t) => {
  t.strictSame(problems({ certificates, port: 443 }, { port: 443 }), [
    '*:443 is listened on twice; once is enough',
  ])
  t.strictSame(problems({ certificates }, { port: 8443 }), [
    '*:8443 is listened on twice; once is enough',
  ])
  t.strictSame(problems({ certificates, port: 0 }, { port: 0 }), [])
  const problem =
    'tls.hsts.preload needs includeSubdomains: true and maxAgeSeconds of 31536000 or more: the lists of browsers take nothing else'
  t.strictSame(problems({ certificates, hsts: { preload: true } }), [problem])
  const short = { preload: true, includeSubdomains: true, maxAgeSeconds: 60 }
  t.strictSame(problems({ certificates, hsts: short }), [problem])
})

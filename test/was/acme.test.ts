/** The key `tls.acme`: what it comes to, and what is refused. */
import t from 'tap'
import { parseConfig } from '../../src/was/config.ts'

const parse = (tls: unknown, more: object = {}) =>
  parseConfig({ tls, ...more }, { file: '/site/uwas.config.ts', env: {} }).tls

function problems(acme: unknown, more: object = {}): string[] {
  try {
    parse({ acme }, more)
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

const agreed = { agreeToTerms: true }

t.test('it is complete, and its certificates stand behind those of files', async (t) => {
  const own = { certFile: 'a.pem', keyFile: 'a.key' }
  const tls = parse({ certificates: [own], acme: { ...agreed, names: ['example.org'] } })
  const file = '/site/.uwas/acme/letsencrypt/example.org.pem'
  t.strictSame(tls?.certificates, [
    { certFile: '/site/a.pem', keyFile: '/site/a.key', passphrase: null, names: null },
    {
      certFile: file,
      keyFile: file,
      passphrase: null,
      names: ['example.org'],
      awaits: 'example.org',
    },
  ])
  t.strictSame(tls?.acme, {
    directory: 'https://acme-v02.api.letsencrypt.org/directory',
    names: ['example.org'],
    email: null,
    keyType: 'ecdsa',
    caFile: null,
    externalAccount: null,
    dir: '/site/.uwas/acme',
    authorityDir: '/site/.uwas/acme/letsencrypt',
    root: '/site',
  })
})

t.test(
  'names are those of allowedHosts where none are listed: no wildcard, no address',
  async (t) => {
    const others = ['*.example.org', '192.0.2.1', '[::1]', 'localhost']
    const allowedHosts = ['example.org', 'www.example.org', ...others]
    t.strictSame(parse({ acme: agreed }, { allowedHosts })?.acme?.names, [
      'example.org',
      'www.example.org',
    ])
    t.strictSame(problems(agreed, { allowedHosts: ['*.example.org'] }), [
      'tls.acme has no name to order a certificate for; list them in tls.acme.names, or in allowedHosts',
    ])
    t.equal(problems(agreed).length, 1)
    t.strictSame(problems(agreed, { allowedHosts: ['intranet', 'example.org'] }), [
      'allowedHosts has intranet, which is no name of the public DNS: nobody certifies it',
    ])
  },
)

t.test('each authority has a folder of its own', async (t) => {
  const dirOf = (directory: string, more: object = {}) =>
    parse({ acme: { ...agreed, names: ['a.example.org'], directory } }, more)?.acme?.authorityDir
  t.equal(dirOf('letsencrypt-staging'), '/site/.uwas/acme/letsencrypt-staging')
  const one = dirOf('https://ca.corp.internal:9000/acme/acme/directory')
  t.match(one, /^\/site\/\.uwas\/acme\/ca\.corp\.internal-[0-9a-f]{8}$/)
  t.not(one, dirOf('https://ca.corp.internal:9000/acme/other/directory'))
  const elsewhere = dirOf('letsencrypt', { stateDir: '/var/lib/site' })
  t.equal(elsewhere, '/var/lib/site/acme/letsencrypt')
})

t.test('an authority of the house may certify what is not public', async (t) => {
  const directory = 'https://ca.corp.internal/directory'
  const names = ['intranet', 'wiki.corp.internal']
  t.strictSame(parse({ acme: { ...agreed, directory, names } })?.acme?.names, names)
})

t.test('what cannot be is told with its place', async (t) => {
  const names = ['example.org']
  const terms =
    "tls.acme.agreeToTerms has to be true: the authority's terms of service are agreed to by whoever runs the site"
  t.strictSame(problems({ names }), [terms])
  t.strictSame(problems({ names, agreeToTerms: false }), [terms])
  const ofName: [string, RegExp][] = [
    ['*.example.org', /names\[0\] has a \*: HTTP-01 is for single names; list them/],
    ['Example.org', /names\[0\] is no name like example\.org: small ASCII letters/],
    ['münchen.de', /"xn--" for others/],
    ['../../etc/passwd', /is no name/],
    ['.example.org', /is no name/],
    ['a..b.org', /is no name/],
    [`${'a'.repeat(64)}.org`, /is no name/],
    ['example.org.', /is no name/],
    ['192.0.2.1', /is an address; certificates are ordered for names/],
    ['localhost', /names has localhost, which is no name of the public DNS/],
    ['printer.local', /names has printer\.local, which is no name of the public DNS/],
  ]
  for (const [name, problem] of ofName) {
    t.match(problems({ ...agreed, names: [name] }), [problem], name)
  }
  t.match(problems({ ...agreed, names: [...names, ...names] }), [/has example\.org twice/])
  t.match(problems({ ...agreed, names, directory: 'letsencript' }), [
    /^tls\.acme\.directory has to be 'letsencrypt', 'letsencrypt-staging' or the https:\/\/ URL/,
  ])
  t.match(problems({ ...agreed, names, directory: 'http://ca.test/' }), [/the https:\/\/ URL/])
  t.match(problems({ ...agreed, names, email: 'nobody' }), [/^tls\.acme\.email is no address/])
  t.match(problems({ ...agreed, names, keyType: 'dsa' }), [/one of "ecdsa", "rsa"/])
  t.match(problems({ ...agreed, names, mail: 'a@b.org' }), [/unknown key "tls\.acme\.mail"/])
  const external = { ...agreed, names, externalAccount: { keyId: 'a', hmacKey: '' } }
  t.strictSame(problems(external), [
    'tls.acme.externalAccount.hmacKey is no text; set it from the environment',
  ])
})

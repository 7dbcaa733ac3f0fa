import t from 'tap'
import {
  noncePolicies,
  SECURITY_HEADERS,
  type SecurityHeaders,
  securityHeaders,
} from '../../src/http/security-headers.ts'

const named = (options?: SecurityHeaders | false) => Object.fromEntries(securityHeaders(options))

t.test('the preset says everything that is safe for any site', (t) => {
  t.same(Object.fromEntries(SECURITY_HEADERS), {
    'X-Content-Type-Options': 'nosniff',
    'X-Frame-Options': 'SAMEORIGIN',
    'Referrer-Policy': 'strict-origin-when-cross-origin',
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Resource-Policy': 'same-site',
    'Permissions-Policy': 'camera=(), geolocation=(), microphone=()',
    'Content-Security-Policy': "frame-ancestors 'self'",
  })
  t.end()
})

t.test('a change touches what it names alone', (t) => {
  const { 'Referrer-Policy': referrer, ...rest } = named({ referrerPolicy: 'no-referrer' })
  const { 'Referrer-Policy': _, ...preset } = named()
  t.equal(referrer, 'no-referrer')
  t.same(rest, preset)
  t.end()
})

t.test('false leaves a field out, or all of them', (t) => {
  t.notOk('X-Content-Type-Options' in named({ contentTypeOptions: false }))
  t.notOk('Permissions-Policy' in named({ permissionsPolicy: false }))
  t.notOk('Content-Security-Policy' in named({ contentSecurityPolicy: false }))
  const free = named({ frameAncestors: false })
  t.notOk('X-Frame-Options' in free)
  t.notOk('Content-Security-Policy' in free)
  t.same(named(false), {})
  t.end()
})

t.test('framing is said in both fields where both can say it', (t) => {
  t.match(named({ frameAncestors: 'none' }), {
    'X-Frame-Options': 'DENY',
    'Content-Security-Policy': "frame-ancestors 'none'",
  })
  const some = named({ frameAncestors: ["'self'", 'https://a.test'] })
  t.equal(some['Content-Security-Policy'], "frame-ancestors 'self' https://a.test")
  t.notOk('X-Frame-Options' in some)
  t.end()
})

t.test('a content policy keeps the framing rule unless it has its own; the trial is apart', (t) => {
  const policy = { 'default-src': ["'self'"], 'img-src': ["'self'", 'data:'] }
  const made = named({ contentSecurityPolicy: policy, contentSecurityPolicyReportOnly: policy })
  const text = "default-src 'self'; img-src 'self' data:"
  t.equal(made['Content-Security-Policy'], `frame-ancestors 'self'; ${text}`)
  t.equal(made['Content-Security-Policy-Report-Only'], text)
  const own = named({ contentSecurityPolicy: { 'frame-ancestors': ['https://a.test'] } })
  t.equal(own['Content-Security-Policy'], 'frame-ancestors https://a.test')
  t.end()
})

t.test('permissions are written as a structured field', (t) => {
  const made = named({ permissionsPolicy: { geolocation: ['self', 'https://a.test'], camera: [] } })
  t.equal(made['Permissions-Policy'], 'geolocation=(self "https://a.test"), camera=()')
  t.end()
})

const mistakes: [SecurityHeaders, string][] = [
  [
    { contentSecurityPolicy: { 'script-src': ["'self'; img-src *"] } },
    `securityHeaders: contentSecurityPolicy: script-src has "'self'; img-src *"; write each source on its own, without ; and ,`,
  ],
  [
    { referrerPolicy: 'a\r\nb' },
    'securityHeaders: Referrer-Policy: "a\\r\\nb" cannot stand in a field',
  ],
  [{ permissionsPolicy: { 'a b': [] } }, 'securityHeaders: permissionsPolicy: "a b" is no name'],
]

for (const [options, message] of mistakes) {
  t.test(`refused at start: ${message}`, (t) => {
    t.throws(() => securityHeaders(options), { code: 'UWAS_ERR_HTTP_SECURITY_HEADER', message })
    t.end()
  })
}

t.test('a nonce stands in its places for one reply, and nowhere in what all replies have', (t) => {
  const options = {
    contentSecurityPolicy: { 'script-src': ["'self'", "'nonce'"], 'style-src': ["'nonce'"] },
    contentSecurityPolicyReportOnly: { 'script-src': ["'nonce'"], 'report-uri': ['/csp'] },
  }
  t.match(named(options), {
    'Content-Security-Policy': "frame-ancestors 'self'; script-src 'self'; style-src 'none'",
    'Content-Security-Policy-Report-Only': "script-src 'none'; report-uri /csp",
  })
  t.strictSame(noncePolicies(options)?.('abc'), [
    [
      'Content-Security-Policy',
      "frame-ancestors 'self'; script-src 'self' 'nonce-abc'; style-src 'nonce-abc'",
    ],
    ['Content-Security-Policy-Report-Only', "script-src 'nonce-abc'; report-uri /csp"],
  ])
  const { contentSecurityPolicyReportOnly } = options
  t.strictSame(
    noncePolicies({ contentSecurityPolicyReportOnly })?.('x').map(([name]) => name),
    ['Content-Security-Policy-Report-Only'],
  )
  t.equal(noncePolicies({}), null)
  t.equal(noncePolicies(false), null)
  t.end()
})

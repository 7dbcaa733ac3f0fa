import t from 'tap'
import { type CorsFields, type CorsPolicy, createCors } from '../../src/http/cors.ts'

const APP = 'https://app.example.org'
const cors = (...policies: CorsPolicy[]) => {
  const made = createCors(policies)
  if (made === null) throw new Error('no policy')
  return made
}
const object = (fields: CorsFields | null) => fields && Object.fromEntries(fields.list)

t.test('without policies there is nothing to do', (t) => {
  t.equal(createCors([]), null)
  t.end()
})

t.test('"*" allows everybody alike, with or without an Origin, and varies by nothing', (t) => {
  const { fields, preflight } = cors({ origins: '*', headers: ['X-A'], exposeHeaders: ['ETag'] })
  const expected = { 'Access-Control-Allow-Origin': '*', 'Access-Control-Expose-Headers': 'ETag' }
  t.same(object(fields('/a', 'https://a.test')), expected)
  t.equal(fields('/a', undefined), fields('/b', 'https://b.test'), 'one object for all')
  t.same(object(preflight('/a', 'https://a.test')), {
    'Access-Control-Allow-Origin': '*',
    'Access-Control-Allow-Methods': 'GET, HEAD, POST',
    'Access-Control-Allow-Headers': 'X-A',
    'Access-Control-Max-Age': '600',
  })
  t.end()
})

t.test('a list allows its members alone, and every answer varies by Origin', (t) => {
  const { fields, preflight } = cors({
    origins: [APP],
    credentials: true,
    methods: ['PUT'],
    maxAgeSeconds: 5,
  })
  t.same(object(fields('/', APP)), {
    'Access-Control-Allow-Origin': APP,
    Vary: 'Origin',
    'Access-Control-Allow-Credentials': 'true',
  })
  t.same(object(preflight('/', APP)), {
    'Access-Control-Allow-Origin': APP,
    Vary: 'Origin',
    'Access-Control-Allow-Credentials': 'true',
    'Access-Control-Allow-Methods': 'PUT',
    'Access-Control-Max-Age': '5',
  })
  for (const other of [
    'https://evil.test',
    `${APP}.evil.test`,
    'null',
    'HTTPS://app.example.org',
  ]) {
    t.same(object(fields('/', other)), { Vary: 'Origin' }, other)
    t.same(object(preflight('/', other)), { Vary: 'Origin' }, other)
  }
  t.same(object(fields('/', undefined)), { Vary: 'Origin' })
  t.end()
})

t.test('the longest prefix wins, at the border of a segment', (t) => {
  const { fields } = cors({ prefix: '/api', origins: '*' }, { prefix: '/api/own/', origins: [APP] })
  t.same(object(fields('/api', APP)), { 'Access-Control-Allow-Origin': '*' })
  t.same(object(fields('/api/x', APP)), { 'Access-Control-Allow-Origin': '*' })
  t.same(object(fields('/api/own/x', undefined)), { Vary: 'Origin' })
  t.equal(fields('/apis', APP), null)
  t.equal(fields('/', APP), null)
  t.end()
})

const mistakes: [CorsPolicy, string][] = [
  [
    { origins: '*', credentials: true },
    'the CORS policy of "/": credentials need a list of origins; "*" would let every site in',
  ],
  [
    { origins: ['https://app.example.org/'] },
    'the CORS policy of "/": "https://app.example.org/" is not an origin as browsers send it; say "https://app.example.org"',
  ],
  [
    { origins: ['https://A.example:443'] },
    'the CORS policy of "/": "https://A.example:443" is not an origin as browsers send it; say "https://a.example"',
  ],
  [
    { origins: ['null'] },
    'the CORS policy of "/": "null" is not an origin as browsers send it; write it like https://app.example.org',
  ],
  [
    { origins: [] },
    'the CORS policy of "/": it allows no origin; list some, or leave the policy out',
  ],
  [{ origins: '*', headers: ['*'] }, 'the CORS policy of "/": headers has "*", which is no name'],
  [{ prefix: 'api', origins: '*' }, 'the CORS policy of "api": a prefix starts with "/"'],
]

for (const [policy, message] of mistakes) {
  t.test(`refused at start: ${message}`, (t) => {
    t.throws(() => createCors([policy]), { code: 'UWAS_ERR_HTTP_CORS', message })
    t.end()
  })
}

t.test('two policies for one prefix are refused', (t) => {
  t.throws(
    () =>
      createCors([
        { prefix: '/a', origins: '*' },
        { prefix: '/a/', origins: [APP] },
      ]),
    {
      code: 'UWAS_ERR_HTTP_CORS',
      message: 'the CORS policy of "/a": there are two policies for this prefix; keep one',
    },
  )
  t.end()
})

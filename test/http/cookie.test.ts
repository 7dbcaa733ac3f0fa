import fc from 'fast-check'
import t from 'tap'
import {
  cookiesWithPrefix,
  cookieValues,
  parseCookies,
  serializeCookie,
} from '../../src/http/cookie.ts'

t.test('a Cookie field is read pair by pair', async (t) => {
  t.strictSame(
    [...parseCookies('a=1; b=2')],
    [
      ['a', '1'],
      ['b', '2'],
    ],
  )
  t.strictSame(
    [...parseCookies('a=1;b=2')],
    [
      ['a', '1'],
      ['b', '2'],
    ],
  )
  t.strictSame(
    [...parseCookies('a=x=y; b=')],
    [
      ['a', 'x=y'],
      ['b', ''],
    ],
  )
  t.strictSame([...parseCookies('a="quoted"')], [['a', 'quoted']])
  t.strictSame([...parseCookies('name=%ED%95%9C%20a')], [['name', '한 a']])
})

t.test('of two cookies of one name the first counts', async (t) => {
  t.equal(parseCookies('a=first; a=second').get('a'), 'first')
})

t.test('malformed pairs are passed over, the others count', async (t) => {
  t.strictSame([...parseCookies('')], [])
  t.strictSame([...parseCookies('; ;novalue; =nameless; a=1;')], [['a', '1']])
  t.strictSame(
    [...parseCookies('a=%; b=%ff; c=%zz')],
    [
      ['a', '%'],
      ['b', '%ff'],
      ['c', '%zz'],
    ],
  )
  t.strictSame(
    [...parseCookies('a="; b="x')],
    [
      ['a', '"'],
      ['b', '"x'],
    ],
  )
  t.equal(parseCookies('__proto__=x').get('__proto__'), 'x')
})

t.test('a Set-Cookie is careful unless told otherwise', async (t) => {
  t.equal(serializeCookie('a', '1'), 'a=1; Path=/; HttpOnly; SameSite=Lax')
  t.equal(
    serializeCookie('a', '1', { httpOnly: false, sameSite: 'Strict' }),
    'a=1; Path=/; SameSite=Strict',
  )
  t.equal(
    serializeCookie('a', '1', { sameSite: 'None' }),
    'a=1; Path=/; HttpOnly; Secure; SameSite=None',
    'browsers refuse SameSite=None without Secure',
  )
  t.equal(
    serializeCookie('a', '1', {
      maxAgeSeconds: 60,
      path: '/x',
      domain: 'example.org',
      secure: true,
    }),
    'a=1; Max-Age=60; Path=/x; Domain=example.org; HttpOnly; Secure; SameSite=Lax',
  )
  t.match(serializeCookie('a', '', { maxAgeSeconds: 0 }), /^a=; Max-Age=0;/)
})

t.test('a value is encoded only where it has to be', async (t) => {
  const sent = (value: string) => serializeCookie('a', value).split(';')[0]
  t.equal(sent("abc!#$&'()*+-./:<=>?@[]^_`{|}~"), "a=abc!#$&'()*+-./:<=>?@[]^_`{|}~")
  t.equal(sent('a;b, c"d\\'), 'a=a%3Bb%2C%20c%22d%5C')
  t.equal(sent('100%'), 'a=100%25')
  t.equal(sent('한\r\nSet-Cookie: x'), 'a=%ED%95%9C%0D%0ASet-Cookie%3A%20x')
  t.equal(sent('\ud800'), 'a=%EF%BF%BD', 'half a surrogate pair has no encoding')
})

t.test('any value comes back as it was set', async () => {
  const wellFormed = fc.string({ unit: 'binary' }).filter((text) => text.isWellFormed())
  fc.assert(
    fc.property(wellFormed, (value) => {
      const pair = serializeCookie('name', value).split(';')[0] as string
      return parseCookies(`other=1; ${pair}`).get('name') === value
    }),
    { numRuns: 1000 },
  )
})

t.test('any field at all is read', async () => {
  const unit = fc.constantFrom(';', '=', '"', '%', ' ', 'a', '%41', ',')
  fc.assert(fc.property(fc.string({ unit }), (field) => parseCookies(field) instanceof Map))
})

t.test('what would end or change the field is refused', async (t) => {
  t.throws(() => serializeCookie('a b', '1'), {
    code: 'UWAS_ERR_HTTP_COOKIE',
    message: 'cookie "a b": the name is not a token',
  })
  t.throws(() => serializeCookie('', '1'), { code: 'UWAS_ERR_HTTP_COOKIE' })
  for (const options of [
    { path: '/;Domain=x' },
    { path: '/\r\nx' },
    { domain: 'a;b' },
    { domain: 'a\0' },
    { path: '/한글' },
    { domain: 'bücher.example' },
  ]) {
    t.throws(
      () => serializeCookie('a', '1', options),
      {
        code: 'UWAS_ERR_HTTP_COOKIE',
        message:
          'cookie a: path or domain holds a semicolon or a character outside printable ASCII',
      },
      JSON.stringify(options),
    )
  }
})

t.test('a lifetime is a whole number of seconds that can be written as digits', async (t) => {
  for (const maxAgeSeconds of [0.5, Number.NaN, Number.POSITIVE_INFINITY, 1e21]) {
    t.throws(() => serializeCookie('a', '1', { maxAgeSeconds }), {
      code: 'UWAS_ERR_HTTP_COOKIE',
      message: `cookie a: maxAgeSeconds is ${maxAgeSeconds}, not a whole number`,
    })
  }
})

t.test('prefixes and partitions are as browsers want them', (t) => {
  t.equal(
    serializeCookie('__Host-a', '1', { secure: true, partitioned: true }),
    '__Host-a=1; Path=/; HttpOnly; Secure; SameSite=Lax; Partitioned',
  )
  const wrong = { code: 'UWAS_ERR_HTTP_COOKIE' }
  t.throws(() => serializeCookie('__Host-a', '1'), wrong)
  t.throws(() => serializeCookie('__host-a', '1', { secure: true, path: '/a' }), {
    ...wrong,
    message: /__Host- needs secure, the path \/ and no domain/,
  })
  t.throws(() => serializeCookie('__Host-a', '1', { secure: true, domain: 'a.test' }), wrong)
  t.throws(() => serializeCookie('__Secure-a', '1'), {
    ...wrong,
    message: /__Secure- needs secure/,
  })
  t.throws(() => serializeCookie('a', '1', { partitioned: true }), wrong)
  t.end()
})

t.test('all values of one name are found, and only those of just that name', (t) => {
  const field = 'a=1; b=2; a="3"; A=4; a; \u2000a=5; \u00a0a=6; \ta=7'
  t.strictSame(cookieValues(field, 'a'), ['1', '3', '7'])
  t.strictSame(cookieValues('', 'a'), [])
  t.equal(parseCookies('\u2000__Host-a=1').get('__Host-a'), undefined)
  t.strictSame(
    [...cookiesWithPrefix('f-1=a; g=b; f-2=c', 'f-')],
    [
      ['f-1', 'a'],
      ['f-2', 'c'],
    ],
  )
  t.end()
})

t.test('blanks within a cookie cost no more than other characters', (t) => {
  // By trying every place of the blanks this would take minutes.
  const blanks = ' \t'.repeat(400_000)
  t.strictSame([...parseCookies(`a=b${blanks}c`)], [['a', `b${blanks}c`]])
  t.strictSame(cookieValues(`${blanks}a${blanks}=${blanks}b${blanks}`, 'a'), ['b'])
  t.strictSame([...parseCookies(`${blanks}=x`)], [])
  t.end()
})

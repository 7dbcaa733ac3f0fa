import fc from 'fast-check'
import t from 'tap'
import {
  checkHeader,
  type HeaderList,
  isToken,
  parseTokenList,
  withVary,
} from '../../src/http/headers.ts'

t.test('a token is made of tchar, and of at least one', async (t) => {
  for (const text of ['a', 'X-Y', "!#$%&'*+-.^_`|~0aZ"]) t.equal(isToken(text), true, text)
  for (const text of ['', ' ', 'a b', 'a:', 'a\n', '\na', 'a\0', 'é', 'a"', 'a(b)', 'a,b', '한']) {
    t.equal(isToken(text), false, JSON.stringify(text))
  }
})

t.test('what can be sent passes', async (t) => {
  for (const value of ['', 'a', 'a b', 'a\tb', '"q"', 'é', '\xff', 'a  b', '~']) {
    t.doesNotThrow(() => checkHeader('X-Test', value), JSON.stringify(value))
  }
})

t.test('a name that is not a token is refused and shown', async (t) => {
  t.throws(() => checkHeader('X Y', 'a'), {
    code: 'UWAS_ERR_HTTP_HEADER_NAME',
    message: 'header name "X Y" is not a token (RFC 9110 section 5.6.2)',
  })
  t.throws(() => checkHeader('X\r\nY', 'a'), {
    code: 'UWAS_ERR_HTTP_HEADER_NAME',
    message: 'header name "X\\r\\nY" is not a token (RFC 9110 section 5.6.2)',
  })
  t.throws(() => checkHeader('', 'a'), { code: 'UWAS_ERR_HTTP_HEADER_NAME' })
})

t.test('a value that would split or change the message is refused, and not repeated', async (t) => {
  const bad = [
    'a\r\nb',
    'a\n',
    '\r',
    'a\0b',
    ' a',
    'a ',
    '\ta',
    'a\t',
    ' ',
    'a\x7f',
    'a\x1b',
    '한글',
    'a\u2028',
  ]
  for (const value of bad) {
    t.throws(
      () => checkHeader('X-Test', value),
      {
        code: 'UWAS_ERR_HTTP_HEADER_VALUE',
        message:
          'value of header X-Test is no text, or contains a character that may not stand in a field value (RFC 9110 section 5.5)',
      },
      encodeURIComponent(value),
    )
  }
})

t.test('a value passes exactly when each of its characters may stand where it stands', async () => {
  const unit = fc.oneof(
    fc.constantFrom('\r', '\n', '\0', ' ', '\t', '\x7f', 'Ā'),
    fc.string({ maxLength: 1 }),
  )
  const mayStand = (text: string) =>
    text.trim() === text.replace(/^\s+|\s+$/g, '') &&
    [...text].every((char, at) => {
      const code = char.charCodeAt(0)
      const isEdge = at === 0 || at === [...text].length - 1
      if (code === 0x20 || code === 0x09) return !isEdge
      return code > 0x20 && code !== 0x7f && code <= 0xff
    })
  fc.assert(
    fc.property(fc.array(unit, { maxLength: 8 }), (units) => {
      const value = units.join('')
      let passes = true
      try {
        checkHeader('X', value)
      } catch {
        passes = false
      }
      return passes === mayStand(value)
    }),
    { numRuns: 2000 },
  )
})

t.test('a long run of blanks is refused in linear time', async (t) => {
  t.throws(() => checkHeader('X', `a${' '.repeat(1_000_000)}`), {
    code: 'UWAS_ERR_HTTP_HEADER_VALUE',
  })
})

t.test('a list of tokens is read trimmed, in lower case, without its empty members', async (t) => {
  t.strictSame(parseTokenList('Keep-Alive, Upgrade'), ['keep-alive', 'upgrade'])
  t.strictSame(parseTokenList(' ,close\t,, '), ['close'])
  t.strictSame(parseTokenList(''), [])
})

t.test('Vary names a field once more, whatever stood there', async (t) => {
  const vary = (...values: string[]): HeaderList =>
    withVary(
      values.map((value) => ['vary', value]),
      'Origin',
    )
  t.strictSame(vary(), [['Vary', 'Origin']])
  t.strictSame(vary('Accept'), [['Vary', 'Accept, Origin']])
  t.strictSame(vary('Accept,, Cookie', 'X'), [['Vary', 'Accept, Cookie, X, Origin']])
  t.strictSame(vary('accept, oRIGIN'), [['Vary', 'accept, oRIGIN']])
  t.strictSame(vary('Accept, *'), [['Vary', '*']])
  const list: HeaderList = [['A', 'b']]
  t.strictSame(withVary(list, 'Origin'), [
    ['A', 'b'],
    ['Vary', 'Origin'],
  ])
  t.strictSame(list, [['A', 'b']], 'the list itself stays')
})

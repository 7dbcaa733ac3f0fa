import fc from 'fast-check'
import t from 'tap'
import { formatHttpDate, parseHttpDate } from '../../src/http/date.ts'

const EXAMPLE = 784111777000
const NOW = Date.UTC(2026, 0, 1)

t.test('the three formats of RFC 9110 section 5.6.7 name the same moment', async (t) => {
  t.equal(parseHttpDate('Sun, 06 Nov 1994 08:49:37 GMT', NOW), EXAMPLE)
  t.equal(parseHttpDate('Sunday, 06-Nov-94 08:49:37 GMT', NOW), EXAMPLE)
  t.equal(parseHttpDate('Sun Nov  6 08:49:37 1994', NOW), EXAMPLE)
})

t.test('a date is written as IMF-fixdate, without parts of a second', async (t) => {
  t.equal(formatHttpDate(EXAMPLE), 'Sun, 06 Nov 1994 08:49:37 GMT')
  t.equal(formatHttpDate(EXAMPLE + 999), 'Sun, 06 Nov 1994 08:49:37 GMT')
  t.equal(formatHttpDate(0), 'Thu, 01 Jan 1970 00:00:00 GMT')
})

t.test('every moment of years 0 to 9999 is read back as it was written', async () => {
  const seconds = fc.integer({ min: -62167219200, max: 253402300799 })
  fc.assert(
    fc.property(
      seconds,
      (second) => parseHttpDate(formatHttpDate(second * 1000)) === second * 1000,
    ),
  )
})

t.test('a two-digit year more than 50 years ahead belongs to the century before', async (t) => {
  t.equal(parseHttpDate('Friday, 01-Jan-76 00:00:00 GMT', NOW), Date.UTC(2076, 0, 1))
  t.equal(parseHttpDate('Friday, 01-Jan-77 00:00:00 GMT', NOW), Date.UTC(1977, 0, 1))
  t.equal(parseHttpDate('Friday, 01-Jan-00 00:00:00 GMT', NOW), Date.UTC(2000, 0, 1))
})

t.test('a leap second is a second later, a leap day needs its year', async (t) => {
  t.equal(parseHttpDate('Sat, 31 Dec 2016 23:59:60 GMT'), Date.UTC(2017, 0, 1))
  t.equal(parseHttpDate('Sat, 29 Feb 2020 00:00:00 GMT'), Date.UTC(2020, 1, 29))
  t.ok(Number.isNaN(parseHttpDate('Mon, 29 Feb 2021 00:00:00 GMT')))
})

t.test('what is no HTTP-date is NaN', async (t) => {
  const invalid = [
    '',
    'yesterday',
    '0',
    '1994-11-06T08:49:37Z',
    'Sun, 6 Nov 1994 08:49:37 GMT',
    'Sun, 06 Nov 94 08:49:37 GMT',
    'Sun, 06 Nov 1994 08:49:37 UTC',
    'Sun, 06 Nov 1994 08:49:37',
    'Sun, 06 nov 1994 08:49:37 GMT',
    'Sun, 06 Nov 1994 24:00:00 GMT',
    'Sun, 06 Nov 1994 08:60:00 GMT',
    'Sun, 06 Nov 1994 08:49:61 GMT',
    'Sun, 00 Nov 1994 08:49:37 GMT',
    'Sun, 31 Nov 1994 08:49:37 GMT',
    ' Sun, 06 Nov 1994 08:49:37 GMT',
    'Sun, 06 Nov 1994 08:49:37 GMT ',
    'Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT',
    'Sun, 06-Nov-94 08:49:37 GMT',
    'Sun Nov 6 08:49:37 1994',
  ]
  for (const text of invalid) t.ok(Number.isNaN(parseHttpDate(text)), text)
})

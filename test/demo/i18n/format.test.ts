import t from 'tap'
import {
  fill,
  formatCount,
  formatDuration,
  formatMoment,
  formatNumber,
} from '../../../src/demo/i18n/format.ts'

const LIKES = { one: '{n} like', other: '{n} likes' }

t.test('counts take the form of their language and group their digits', async (t) => {
  t.equal(formatCount('en', LIKES, 0), '0 likes')
  t.equal(formatCount('en', LIKES, 1), '1 like')
  t.equal(formatCount('en', LIKES, 12_345), '12,345 likes')
  t.equal(formatCount('ko', { other: '좋아요 {n}개' }, 1), '좋아요 1개')
  t.equal(formatNumber('ko', 1_234_567), '1,234,567')
})

t.test('places without a value stay as they are', async (t) => {
  t.equal(fill('{a} and {b}', { a: '{b}' }), '{b} and {b}')
})

t.test('moments are told from now within a week, as a date before', async (t) => {
  const now = new Date('2026-11-23T12:00:00Z')
  const before = (ms: number) => new Date(now.getTime() - ms)
  const HOUR = 3_600_000
  const cases: [ageMs: number, en: string, ko: string][] = [
    [-5000, 'now', '지금'],
    [59_999, 'now', '지금'],
    [60_000, '1 minute ago', '1분 전'],
    [3 * HOUR, '3 hours ago', '3시간 전'],
    [24 * HOUR, 'yesterday', '어제'],
    [6 * 24 * HOUR, '6 days ago', '6일 전'],
    [7 * 24 * HOUR, 'Nov 16, 2026', '2026. 11. 16.'],
  ]
  for (const [ageMs, en, ko] of cases) {
    t.equal(formatMoment('en', before(ageMs), now).short, en)
    t.equal(formatMoment('ko', before(ageMs), now).short, ko)
  }
})

t.test('a moment in full is in the time of Seoul, for machines in UTC', async (t) => {
  const moment = formatMoment('ko', new Date('2026-11-23T15:30:00Z'))
  t.equal(moment.iso, '2026-11-23T15:30:00.000Z')
  t.match(moment.full, /2026년 11월 24일.*12:30/)
})

t.test('durations keep the digits that mean something', async (t) => {
  const cases: [ms: number, text: string][] = [
    [0, '0 µs'],
    [0.0004, '0 µs'],
    [0.0846, '85 µs'],
    [0.4249, '0.42 ms'],
    [1.5, '1.50 ms'],
    [12.34, '12.3 ms'],
    [123.4, '123 ms'],
    [1234.5, '1,235 ms'],
  ]
  for (const [ms, text] of cases) t.equal(formatDuration('en', ms), text)
})

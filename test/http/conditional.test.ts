import t from 'tap'
import { evaluatePreconditions, isSamePart, type Verdict } from '../../src/http/conditional.ts'

const MODIFIED = Date.UTC(2026, 5, 15, 12, 0, 0)
const SAME = 'Mon, 15 Jun 2026 12:00:00 GMT'
const EARLIER = 'Mon, 15 Jun 2026 11:59:59 GMT'
const LATER = 'Mon, 15 Jun 2026 12:00:01 GMT'
const CURRENT = { etag: '"a"', lastModifiedMs: MODIFIED }

/** A field and what it says: the precondition holds, does not hold, or is not there. */
type Case = readonly [value: string, holds: boolean | null]

const IF_MATCH: Case[] = [
  ['', null],
  ['"a"', true],
  ['"b", "a"', true],
  ['*', true],
  ['"b"', false],
  ['W/"a"', false],
  ['garbage', false],
]
const IF_UNMODIFIED_SINCE: Case[] = [
  ['', null],
  [SAME, true],
  [LATER, true],
  [EARLIER, false],
  ['yesterday', null],
]
const IF_NONE_MATCH: Case[] = [
  ['', null],
  ['"b"', true],
  ['garbage', true],
  ['"a"', false],
  ['W/"a"', false],
  ['"b", W/"a"', false],
  ['*', false],
]
const IF_MODIFIED_SINCE: Case[] = [
  ['', null],
  [EARLIER, true],
  ['Mon, 99 Jun 2026 12:00:00 GMT', null],
  [SAME, false],
  [LATER, false],
  ['Monday, 15-Jun-26 12:00:00 GMT', false],
  ['Mon Jun 15 12:00:00 2026', false],
]

/** The steps of RFC 9110 section 13.2.2, as they are numbered there. */
function stepsOf(
  [, match]: Case,
  [, unmodified]: Case,
  [noneField, none]: Case,
  [, modified]: Case,
  isRead: boolean,
): Verdict {
  if (match !== null) {
    if (!match) return 'failed' // 1
  } else if (unmodified === false) return 'failed' // 2
  if (noneField !== '') return none ? 'proceed' : isRead ? 'notModified' : 'failed' // 3
  if (isRead && modified === false) return 'notModified' // 4
  return 'proceed' // 5, 6
}

t.test('all preconditions together, as RFC 9110 section 13.2.2 orders them', async (t) => {
  const wrong: string[] = []
  let count = 0
  for (const match of IF_MATCH)
    for (const unmodified of IF_UNMODIFIED_SINCE)
      for (const none of IF_NONE_MATCH)
        for (const modified of IF_MODIFIED_SINCE)
          for (const isRead of [true, false]) {
            const conditions = {
              ifMatch: match[0],
              ifUnmodifiedSince: unmodified[0],
              ifNoneMatch: none[0],
              ifModifiedSince: modified[0],
            }
            const got = evaluatePreconditions(conditions, CURRENT, isRead)
            const wanted = stepsOf(match, unmodified, none, modified, isRead)
            if (got !== wanted) wrong.push(`${JSON.stringify(conditions)} ${isRead}: ${got}`)
            count++
          }
  t.strictSame(wrong, [])
  t.equal(count, 7 * 5 * 7 * 7 * 2)
})

t.test('each precondition alone', async (t) => {
  const none = { ifMatch: '', ifUnmodifiedSince: '', ifNoneMatch: '', ifModifiedSince: '' }
  const table: [field: keyof typeof none, value: string, read: Verdict, other: Verdict][] = [
    ['ifMatch', '"a"', 'proceed', 'proceed'],
    ['ifMatch', '"b"', 'failed', 'failed'],
    ['ifUnmodifiedSince', EARLIER, 'failed', 'failed'],
    ['ifUnmodifiedSince', 'garbage', 'proceed', 'proceed'],
    ['ifNoneMatch', '*', 'notModified', 'failed'],
    ['ifNoneMatch', '"a"', 'notModified', 'failed'],
    ['ifNoneMatch', '"b"', 'proceed', 'proceed'],
    ['ifModifiedSince', SAME, 'notModified', 'proceed'],
    ['ifModifiedSince', EARLIER, 'proceed', 'proceed'],
  ]
  for (const [field, value, read, other] of table) {
    const conditions = { ...none, [field]: value }
    t.equal(evaluatePreconditions(conditions, CURRENT, true), read, `${field}: ${value}`)
    t.equal(evaluatePreconditions(conditions, CURRENT, false), other, `${field}: ${value}`)
  }
  t.equal(evaluatePreconditions(none, CURRENT, true), 'proceed')
})

t.test('a weak tag never matches If-Match, and still matches If-None-Match', async (t) => {
  const weak = { etag: 'W/"a"', lastModifiedMs: MODIFIED }
  const none = { ifMatch: '', ifUnmodifiedSince: '', ifNoneMatch: '', ifModifiedSince: '' }
  t.equal(evaluatePreconditions({ ...none, ifMatch: 'W/"a"' }, weak, true), 'failed')
  t.equal(evaluatePreconditions({ ...none, ifMatch: '"a"' }, weak, true), 'failed')
  t.equal(evaluatePreconditions({ ...none, ifMatch: '*' }, weak, true), 'proceed')
  t.equal(evaluatePreconditions({ ...none, ifNoneMatch: '"a"' }, weak, true), 'notModified')
})

t.test('a representation without a date is always modified, and never too old', async (t) => {
  const current = { etag: '', lastModifiedMs: Number.NaN }
  const none = { ifMatch: '', ifUnmodifiedSince: '', ifNoneMatch: '', ifModifiedSince: '' }
  for (const conditions of [
    { ...none, ifModifiedSince: LATER },
    { ...none, ifUnmodifiedSince: EARLIER },
    { ...none, ifNoneMatch: '""' },
  ]) {
    t.equal(evaluatePreconditions(conditions, current, true), 'proceed')
  }
})

t.test('If-Range holds for a strong tag or a strong date alone', async (t) => {
  const now = MODIFIED + 60_000
  const table: [ifRange: string, etag: string, nowMs: number, same: boolean, why: string][] = [
    ['"a"', '"a"', now, true, 'the tag'],
    ['"b"', '"a"', now, false, 'another tag'],
    ['W/"a"', '"a"', now, false, 'a weak tag of the client'],
    ['W/"a"', 'W/"a"', now, false, 'a weak tag of ours'],
    ['"a"', 'W/"a"', now, false, 'a weak tag of ours, strengthened'],
    ['"a", "b"', '"a"', now, false, 'no list is allowed'],
    ['*', '"a"', now, false, 'nor a star'],
    [SAME, '"a"', now, true, 'the date'],
    ['Monday, 15-Jun-26 12:00:00 GMT', '"a"', now, true, 'in another format'],
    [EARLIER, '"a"', now, false, 'an earlier date'],
    [LATER, '"a"', now, false, 'a later date: it has to be the same'],
    [SAME, '"a"', MODIFIED + 999, false, 'another version may have that second too'],
    [SAME, '"a"', MODIFIED + 1000, true, 'a second later none can'],
    ['garbage', '"a"', now, false, 'neither tag nor date'],
  ]
  for (const [ifRange, etag, nowMs, same, why] of table) {
    t.equal(isSamePart(ifRange, { etag, lastModifiedMs: MODIFIED }, nowMs), same, why)
  }
  t.equal(isSamePart(SAME, { etag: '', lastModifiedMs: Number.NaN }, now), false)
})

/** Cases of a file: methods, conditions, ranges, codings (RFC 9110 sections 9, 12, 13, 14). */
import { etagOf } from '../catalogue.ts'
import type { Case } from './case.ts'

/** The file that the cases ask for, at `/file.txt`. */
export const CONTENT = '0123456789'.repeat(10)
const ETAG = etagOf(CONTENT)
const LONG_AGO = 'Sun, 06 Nov 1994 08:49:37 GMT'
const LATER = 'Fri, 31 Dec 2100 23:59:59 GMT'

const ask = (fields: string, method = 'GET'): string =>
  `${method} /file.txt HTTP/1.1\r\nHost: x\r\n${fields === '' ? '' : `${fields}\r\n`}\r\n`

const rows: [clause: string, name: string, status: number, fields: string, method?: string][] = [
  ['9110 §9.3.1', 'GET of a file', 200, ''],
  ['9110 §9.3.2', 'HEAD of a file', 200, '', 'HEAD'],
  ['9110 §13.1.1', 'If-Match with its tag', 200, `If-Match: ${ETAG}`],
  ['9110 §13.1.1', 'If-Match with *', 200, 'If-Match: *'],
  ['9110 §13.1.1', 'If-Match with another tag', 412, 'If-Match: "other"'],
  ['9110 §13.1.1', 'If-Match with its tag made weak', 412, `If-Match: W/${ETAG}`],
  ['9110 §13.1.2', 'If-None-Match with its tag', 304, `If-None-Match: ${ETAG}`],
  ['9110 §13.1.2', 'If-None-Match with its tag made weak', 304, `If-None-Match: W/${ETAG}`],
  ['9110 §13.1.2', 'If-None-Match with its tag in a list', 304, `If-None-Match: "a", ${ETAG}`],
  ['9110 §13.1.2', 'If-None-Match with *', 304, 'If-None-Match: *'],
  ['9110 §13.1.2', 'If-None-Match with another tag', 200, 'If-None-Match: "other"'],
  ['9110 §13.1.2', 'HEAD with If-None-Match', 304, `If-None-Match: ${ETAG}`, 'HEAD'],
  ['9110 §13.1.3', 'If-Modified-Since long ago', 200, `If-Modified-Since: ${LONG_AGO}`],
  ['9110 §13.1.3', 'If-Modified-Since that is no date', 200, 'If-Modified-Since: yesterday'],
  ['9110 §13.1.4', 'If-Unmodified-Since long ago', 412, `If-Unmodified-Since: ${LONG_AGO}`],
  ['9110 §13.1.4', 'If-Unmodified-Since later', 200, `If-Unmodified-Since: ${LATER}`],
  [
    '9110 §13.2.2',
    'If-None-Match goes before If-Modified-Since',
    304,
    `If-Modified-Since: ${LONG_AGO}\r\nIf-None-Match: ${ETAG}`,
  ],
  [
    '9110 §13.2.2',
    'If-Match goes before If-None-Match',
    412,
    `If-None-Match: ${ETAG}\r\nIf-Match: "other"`,
  ],
  ['9110 §14.1.2', 'a range from the start', 206, 'Range: bytes=0-9'],
  ['9110 §14.1.2', 'a range to the end', 206, 'Range: bytes=90-'],
  ['9110 §14.1.2', 'a range of the last bytes', 206, 'Range: bytes=-5'],
  ['9110 §14.1.2', 'a range that ends beyond the end', 206, 'Range: bytes=90-999'],
  ['9110 §14.4', 'a range beyond the end', 416, 'Range: bytes=100-'],
  ['9110 §14.1.2', 'a range of no last bytes', 416, 'Range: bytes=-0'],
  ['9110 §14.2', 'a range that ends before it begins', 200, 'Range: bytes=9-1'],
  ['9110 §14.2', 'a range in an unknown unit', 200, 'Range: lines=0-1'],
  ['9110 §14.2', 'Range on HEAD', 200, 'Range: bytes=0-9', 'HEAD'],
  ['9110 §13.1.5', 'If-Range with its tag', 206, `Range: bytes=0-9\r\nIf-Range: ${ETAG}`],
  ['9110 §13.1.5', 'If-Range with another tag', 200, 'Range: bytes=0-9\r\nIf-Range: "other"'],
  ['9110 §13.1.5', 'If-Range with a weak tag', 200, `Range: bytes=0-9\r\nIf-Range: W/${ETAG}`],
  ['9110 §12.5.3', 'Accept-Encoding of unknown codings', 200, 'Accept-Encoding: x-none, *;q=0.5'],
]

export const REPRESENTATION_CASES: readonly Case[] = rows.map(
  ([clause, name, status, fields, method]) => ({
    clause,
    name,
    request: ask(fields, method),
    first: `${status} 200`,
  }),
)

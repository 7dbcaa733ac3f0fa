/** Bodies as values, with the bounds that a hostile one must not pass: each rival has the nearest to them. */
import { parse as parseQuerystring } from 'node:querystring'
import { rivals, uwas } from '../built.ts'
import { type Benchmark, sameResults } from './suite.ts'

const ORDER = JSON.stringify({
  customer: { id: 4711, name: 'Ada Lovelace', email: 'ada@example.com' },
  lines: Array.from({ length: 10 }, (_, i) => ({ article: `A-${i}`, count: i + 1, price: 9.95 })),
  note: 'Please ring twice, "loudly" & wait',
  isGift: false,
})
const FORM =
  'name=Ada+Lovelace&email=ada%40example.com&message=Hello%2C+all+of+you%21%0D%0AA+second+line.&agree=on&topic=web'

export function bodySuite(): Benchmark[] {
  const json = [
    { name: 'uwas', run: () => uwas.parseJson(ORDER) },
    { name: 'secure-json-parse', run: () => rivals.secureJson.parse(ORDER) },
    { name: 'JSON.parse, no bounds', run: () => JSON.parse(ORDER) as unknown },
  ]
  sameResults(json, JSON.stringify)
  const form = [
    { name: 'uwas', run: () => uwas.parseForm(FORM) },
    { name: 'fast-querystring', run: () => rivals.fastQuerystring.parse(FORM) },
    { name: 'node:querystring', run: () => parseQuerystring(FORM) },
  ]
  sameResults(form, (fields) =>
    JSON.stringify(
      fields instanceof URLSearchParams ? Object.fromEntries(fields) : { ...(fields as object) },
    ),
  )
  return [
    { name: 'json', contestants: json },
    { name: 'urlencoded', contestants: form },
  ]
}

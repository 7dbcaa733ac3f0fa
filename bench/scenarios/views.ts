/** Answers by code: TechEmpower's tests of a text, an object, one row, twenty rows, and a page. */
import type { Answer } from '../method/ask.ts'
import { FORTUNES, numberOf, WORLDS } from './rows.ts'
import type { Scenario, ViewChecks } from './scenario.ts'

function view(name: string, title: string, path: string, check: ViewChecks): Scenario {
  return { name, title, files: () => [], paths: [path], view: check, connections: 64 }
}

export const views: readonly Scenario[] = [
  view('plaintext', 'a text by a view', '/plaintext', {
    check: (answer) => same(answer.body.toString(), 'Hello, World!'),
  }),
  view('json', 'an object by a view, as JSON', '/json', {
    check: (answer) => same(answer.body.toString(), '{"message":"Hello, World!"}'),
  }),
  view('db', 'one row by its id, as JSON', '/db', {
    check: (answer) => checkWorlds([parse(answer)]),
    reads: { table: 'world', times: 1 },
  }),
  view('queries', '20 rows by 20 statements, as JSON', '/queries?queries=20', {
    check: (answer) => checkWorlds(parse(answer), 20),
    reads: { table: 'world', times: 20 },
  }),
  view('fortunes', '12 rows and one more, sorted and escaped in a page', '/fortunes', {
    check: checkFortunes,
    reads: { table: 'fortune', times: 1 },
  }),
  view(
    'cached-page',
    'the same page, kept by uwas: hold it against fortunes and static-1k',
    '/cached',
    {
      check: checkFortunes,
    },
  ),
]

function parse(answer: Answer): unknown {
  return JSON.parse(answer.body.toString())
}

function same(actual: unknown, expected: unknown): void {
  const [is, shallBe] = [JSON.stringify(actual), JSON.stringify(expected)]
  if (is !== shallBe) throw new Error(`the answer has ${is}, not ${shallBe}`)
}

function checkWorlds(value: unknown, count = 1): void {
  const rows = value as { id: number; randomNumber: number }[]
  same(rows.length, count)
  for (const { id } of rows) {
    if (!Number.isInteger(id) || id < 1 || id > WORLDS) throw new Error(`${id} is no id`)
  }
  same(
    rows,
    rows.map(({ id }) => ({ id, randomNumber: numberOf(id) })),
  )
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&lt;': '<',
  '&gt;': '>',
  '&quot;': '"',
  '&#34;': '"',
  '&#39;': "'",
  '&#x27;': "'",
  '&amp;': '&',
}

function checkFortunes(answer: Answer): void {
  const page = answer.body.toString()
  const head =
    '<!DOCTYPE html><html><head><title>Fortunes</title></head><body><table><tr><th>id</th><th>message</th></tr>'
  const found = [...page.matchAll(/<tr><td>(\d+)<\/td><td>([^<>]*)<\/td><\/tr>/g)]
  same(page.trimEnd(), `${head}${found.map(([row]) => row).join('')}</table></body></html>`)
  const rows = found.map(([, id, text = '']) => [
    Number(id),
    text.replace(/&[#\w]+;/g, (entity) => ENTITIES[entity] ?? entity),
  ])
  const all = [...FORTUNES.map((message, i) => [i + 1, message] as const)]
  all.push([0, 'Additional fortune added at request time.'])
  all.sort(([, a], [, b]) => (a < b ? -1 : 1))
  same(rows, all)
}

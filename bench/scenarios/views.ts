/** Answers by code: TechEmpower's tests (text, object, rows, a page, updates, cached rows) and a page as sites have it. */
import { checkArticles, checkFortunes } from './page-checks.ts'
import type { Edge, Scenario, ViewChecks } from './scenario.ts'
import { checkUpdated, checkWorld, checkWorlds, same, storedWorlds } from './world-checks.ts'

function view(name: string, title: string, path: string, check: ViewChecks): Scenario {
  return { name, title, files: () => [], paths: [path], view: check, connections: 64 }
}

/** What a number of rows may be, and how many come then. */
const COUNTS = { '': 1, '?N=': 1, '?N=many': 1, '?N=0': 1, '?N=1': 1, '?N=500': 500, '?N=501': 500 }

function edges(path: string, name: string, of: typeof checkWorlds): readonly Edge[] {
  return Object.entries(COUNTS).map(([query, count]) => ({
    path: path + query.replace('N', name),
    check: of(count),
  }))
}

export const views: readonly Scenario[] = [
  view('plaintext', 'a text by a view', '/plaintext', {
    check: (answer) => same(answer.body.toString(), 'Hello, World!'),
  }),
  view('json', 'an object by a view, as JSON', '/json', {
    check: (answer) => same(answer.body.toString(), '{"message":"Hello, World!"}'),
  }),
  view('db', 'one row by its id, as JSON', '/db', {
    check: checkWorld,
    reads: { table: 'world', times: 1 },
  }),
  view('queries', '20 rows by 20 statements, as JSON', '/queries?queries=20', {
    check: checkWorlds(20),
    edges: edges('/queries', 'queries', checkWorlds),
    reads: { table: 'world', times: 20 },
  }),
  view('fortunes', '12 rows and one more, sorted and escaped in a page', '/fortunes', {
    check: checkFortunes,
    reads: { table: 'fortune', times: 1 },
  }),
  view('updates', '20 rows read by 20 statements and changed by one', '/updates?queries=20', {
    check: checkUpdated(20),
    edges: edges('/updates', 'queries', checkUpdated),
    stored: storedWorlds,
    reads: { table: 'world', times: 20 },
    writes: { table: 'world', times: 20 },
  }),
  view('cached-queries', '20 rows from a cache, as JSON', '/cached-queries?count=20', {
    check: checkWorlds(20),
    edges: edges('/cached-queries', 'count', checkWorlds),
  }),
  view('page', '20 articles with their authors in a page of 8 KiB', '/articles', {
    check: checkArticles,
    reads: { table: 'article', times: 1 },
  }),
  view(
    'cached-page',
    'the page of fortunes, kept by uwas: hold it against fortunes and static-1k',
    '/cached',
    { check: checkFortunes },
  ),
]

/** A site as browsers meet it: of a hundred requests 30 are pages from the database, the rest the files that pages name. */
import { numbered, numbers } from './content.ts'
import { checkArticles, checkFortunes } from './page-checks.ts'
import type { Edge, Scenario } from './scenario.ts'

/** Requests before the sequence starts again. */
const REQUESTS = 2000
/** The books may be behind by what a sequence that was broken off has left out. */
const SURELY = 0.95

const KIB = 1024
const FILES: readonly (readonly [path: string, content: Buffer])[] = [
  ['static/site.css', numbered(12 * KIB, 1)],
  ['static/app.js', numbered(60 * KIB, 2)],
  ['static/logo.svg', numbered(2 * KIB, 3)],
  ['static/text.woff2', numbered(30 * KIB, 4)],
  ...Array.from(
    { length: 6 },
    (_, i) => [`static/photo-${i}.jpg`, numbered(24 * KIB, 5 + i)] as const,
  ),
]

/** Of a hundred requests; files share what is left. */
const VIEWS = { '/articles': 20, '/fortunes': 10 }

function sequence(): string[] {
  const next = numbers(3)
  const views = Object.entries(VIEWS).flatMap(([path, count]) => Array<string>(count).fill(path))
  const rest = Array.from({ length: REQUESTS - 1 }, () => {
    const file = FILES[Math.floor(next() * FILES.length)]?.[0]
    return views[Math.floor(next() * 100)] ?? `/${file}`
  })
  return ['/articles', ...rest]
}

const paths = sequence()

const edges: readonly Edge[] = [
  { path: '/fortunes', check: checkFortunes },
  ...FILES.map(([path, content]) => ({
    path: `/${path}`,
    check({ body }: { readonly body: Buffer }) {
      if (!body.equals(content)) throw new Error(`another body (${body.length} bytes)`)
    },
  })),
]

export const mix: Scenario = {
  name: 'mix',
  title: 'a site: 30 % pages from the database, 70 % files of 2 to 60 KiB',
  files: () => FILES,
  paths,
  view: {
    check: checkArticles,
    edges,
    reads: {
      table: 'article',
      times: (paths.filter((path) => path === '/articles').length / paths.length) * SURELY,
    },
  },
  connections: 64,
}

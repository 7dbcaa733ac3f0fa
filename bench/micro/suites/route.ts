/** The URL conf against find-my-way (Fastify's router): 1,000 routes, half of them with parameters. */
import { rivals, uwas } from '../built.ts'
import { type Benchmark, sameResults } from './suite.ts'

const ROUTES = 1000
/** Paths that are looked up in turn, so that no single one is remembered. */
const LOOKUPS = 64

type Find = (path: string) => Readonly<Record<string, unknown>> | undefined

export function routeSuite(): Benchmark[] {
  const finders = [
    { name: 'uwas', find: createUwas() },
    { name: 'find-my-way', find: createFindMyWay() },
  ]
  const numbers = Array.from({ length: LOOKUPS }, (_, i) => (i * 37) % (ROUTES / 2))
  return [
    benchmark(
      'static',
      numbers.map((n) => `/section${n}/page`),
    ),
    benchmark(
      'dynamic',
      numbers.map((n) => `/section${n}/articles/some-slug/comments/${n + 1}`),
    ),
    benchmark(
      'none',
      numbers.map((n) => `/section${n}/nothing/here`),
    ),
  ]

  function benchmark(name: string, paths: readonly string[]): Benchmark {
    for (const path of paths) {
      const all = finders.map((one) => ({ name: one.name, run: () => one.find(path) }))
      sameResults(all, asText)
    }
    return {
      name,
      contestants: finders.map((one) => ({ name: one.name, run: inTurn(one.find, paths) })),
    }
  }
}

function inTurn(find: Find, paths: readonly string[]): () => unknown {
  let next = 0
  return () => {
    next = (next + 1) % LOOKUPS
    return find(paths[next] as string) ?? null
  }
}

/** find-my-way gives texts, uwas what the converters make of them. */
function asText(params: unknown): string {
  if (params === undefined) return 'none'
  return JSON.stringify(
    Object.entries(params as object).map(([key, value]) => [key, String(value)]),
  )
}

const view = () => undefined as never

function createUwas(): Find {
  const entries = Array.from({ length: ROUTES / 2 }, (_, n) => [
    uwas.path(`/section${n}/page`, view),
    uwas.path(`/section${n}/articles/<slug:slug>/comments/<int:id>`, view),
  ]).flat()
  const { match } = uwas.compileUrls(uwas.urlconf(...entries))
  return (path) => {
    const found = match('GET', path)
    return found !== undefined && 'params' in found ? found.params : undefined
  }
}

function createFindMyWay(): Find {
  const router = rivals.findMyWay({})
  for (let n = 0; n < ROUTES / 2; n++) {
    router.on('GET', `/section${n}/page`, view)
    router.on('GET', `/section${n}/articles/:slug/comments/:id(^\\d+$)`, view)
  }
  return (path) => router.find('GET', path)?.params
}

/** The modules of uwas that are measured, as `npm run build` makes them, and the rivals. */
import { createRequire } from 'node:module'

async function load<T>(path: string): Promise<T> {
  return (await import(new URL(`../../dist/${path}.js`, import.meta.url).href)) as T
}

const [compile, escaping, route, entries, body] = await Promise.all([
  load<typeof import('../../src/template/compile.ts')>('template/compile'),
  load<typeof import('../../src/template/escape.ts')>('template/escape'),
  load<typeof import('../../src/route/compile.ts')>('route/compile'),
  load<typeof import('../../src/route/urlconf.ts')>('route/urlconf'),
  load<typeof import('../../src/http/body-parse.ts')>('http/body-parse'),
])
export const uwas = { ...compile, ...escaping, ...route, ...entries, ...body }

const require = createRequire(import.meta.url)

type Render = (data: unknown) => string
type Partials = Readonly<Record<string, string>>

export interface Router {
  on(method: string, path: string, handler: () => void): void
  find(method: string, path: string): { readonly params: Record<string, string | undefined> } | null
}

/** What of the rivals' interfaces is used; they are installed for this folder only. */
export const rivals = {
  mustache: require('mustache') as {
    parse(template: string): unknown
    render(template: string, data: unknown, partials: Partials): string
  },
  hogan: require('hogan.js') as {
    compile(template: string): {
      render(data: unknown, partials: Readonly<Record<string, unknown>>): string
    }
  },
  handlebars: require('handlebars') as {
    create(): {
      compile(template: string, options: { compat: boolean }): Render
      registerPartial(name: string, partial: string): void
    }
    escapeExpression(text: string): string
  },
  findMyWay: require('find-my-way') as (options: object) => Router,
  secureJson: require('secure-json-parse') as { parse(text: string): unknown },
  fastQuerystring: require('fast-querystring') as { parse(text: string): Record<string, unknown> },
}

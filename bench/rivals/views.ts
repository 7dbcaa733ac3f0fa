/** The rivals of views: servers that answer by code, the database beside them on the same core. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { bun, bunBinary } from './bun.ts'
import { rawUws } from './raw-uws.ts'
import { type Rival, type RivalContext, type Running, runPinned } from './rival.ts'
import { MAIN, uwas } from './uwas.ts'

const SITE = fileURLToPath(new URL('../app/uwas.config.ts', import.meta.url))
const SERVERS = new URL('views/', import.meta.url)
const MODULES = new URL('../node_modules/', import.meta.url)

/** The site of `app/`, as people run theirs. */
const site: Rival = {
  ...uwas,
  start(context) {
    const address = ['--host', '127.0.0.1', '--port', String(context.port)]
    const command = [process.execPath, MAIN, 'serve', '--config', SITE, ...address]
    return runPinned(context, command, {
      BENCH_STATE: context.scratch,
      DATABASE_URL: context.database?.url ?? '',
    })
  },
}

export const viewRivals: readonly Rival[] = [
  site,
  {
    name: 'Fastify + postgres.js',
    // It adds a charset to JSON, which has none (RFC 8259 section 11).
    cannotSet: ['content-type'],
    missing: () => missing('fastify') ?? missing('postgres'),
    version: () => `Fastify ${versionOf('fastify')}, postgres.js ${versionOf('postgres')}`,
    start: (context) => run(context, process.execPath, 'fastify-server.mjs'),
  },
  {
    ...bun,
    cannotSet: [],
    start: (context) => run(context, bunBinary() as string, 'bun-server.mjs'),
  },
  {
    ...rawUws,
    name: 'uWebSockets.js + postgres.js',
    missing: () => missing('postgres'),
    start: (context) => run(context, process.execPath, 'raw-uws-server.mjs'),
  },
]

function run(context: RivalContext, runtime: string, server: string): Promise<Running> {
  const { port, headers, database } = context
  const data = [String(port), JSON.stringify(headers), JSON.stringify(database)]
  return runPinned(context, [runtime, fileURLToPath(new URL(server, SERVERS)), ...data])
}

function versionOf(name: string): string | undefined {
  try {
    return JSON.parse(readFileSync(new URL(`${name}/package.json`, MODULES), 'utf8')).version
  } catch {
    return undefined
  }
}

function missing(name: string): string | undefined {
  return versionOf(name) === undefined
    ? `${name} is not installed: npm --prefix bench ci`
    : undefined
}

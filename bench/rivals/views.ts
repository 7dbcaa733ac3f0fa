/** The rivals of views: servers that answer by code, the database beside them on the same core. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { bun, bunBinary } from './bun.ts'
import { pythonVariants } from './python.ts'
import { rawUws } from './raw-uws.ts'
import { type Rival, type RivalContext, type Running, runPinned } from './rival.ts'
import { site } from './uwas.ts'

const SERVERS = new URL('views/', import.meta.url)
const MODULES = new URL('../node_modules/', import.meta.url)

export const viewRivals: readonly Rival[] = [
  site,
  ...['postgres.js', 'pg.Client', 'pg.Pool'].map((client) => ({
    name: `Fastify + ${client}`,
    family: 'Fastify',
    isSingle: true as const,
    // It adds a charset to JSON, which has none (RFC 8259 section 11).
    cannotSet: ['content-type'],
    missing: () =>
      missing('fastify') ??
      missing('@fastify/static') ??
      missing(packageOf(client)) ??
      missing('lru-cache'),
    version: () => `Fastify ${versionOf('fastify')}, ${client} ${versionOf(packageOf(client))}`,
    start: (context: RivalContext) => run(context, process.execPath, 'fastify-server.mjs', client),
  })),
  ...['postgres.js', 'pg.Client'].map((client) => ({
    name: `Hono + ${client}`,
    family: 'Hono',
    isSingle: true as const,
    missing: () => missing('hono') ?? missing(packageOf(client)) ?? missing('lru-cache'),
    version: () =>
      `Hono ${versionOf('hono')}, @hono/node-server ${versionOf('@hono/node-server')}, ${client} ${versionOf(packageOf(client))}`,
    start: (context: RivalContext) => run(context, process.execPath, 'hono-server.mjs', client),
  })),
  {
    name: 'Express + pg.Pool',
    isSingle: true,
    cannotSet: ['content-type'],
    missing: () => missing('express') ?? missing('pg') ?? missing('lru-cache'),
    version: () => `Express ${versionOf('express')}, pg ${versionOf('pg')}`,
    start: (context) => run(context, process.execPath, 'express-server.mjs', 'pg.Pool'),
  },
  {
    ...bun,
    cannotSet: [],
    missing: () => bun.missing() ?? missing('lru-cache'),
    start: (context) => run(context, bunBinary() as string, 'bun-server.mjs'),
  },
  {
    ...rawUws,
    name: 'uWebSockets.js + postgres.js',
    missing: () => missing('postgres') ?? missing('lru-cache'),
    start: (context) => run(context, process.execPath, 'raw-uws-server.mjs'),
  },
  ...pythonVariants,
]

function packageOf(client: string): string {
  return client === 'postgres.js' ? 'postgres' : 'pg'
}

function run(
  context: RivalContext,
  runtime: string,
  server: string,
  client = 'postgres.js',
): Promise<Running> {
  const { port, headers, database, files = '' } = context
  const data = [String(port), JSON.stringify(headers), JSON.stringify(database), client, files]
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

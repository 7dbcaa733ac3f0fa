/**
 * Loads uWebSockets.js: the newer pinned build where it loads, else the older one, else an error that
 * says what platform this is and what would work. The only file that knows the engine's packages.
 */
import { createRequire } from 'node:module'
import { createError } from '../core/errors.ts'
import type { Engine } from './engine-types.ts'

/** npm alias → version of the build behind it, newest first. Both are pinned in package.json. */
const BUILDS = [
  {
    alias: 'uws-20-69',
    version: '20.69.0',
    nodes: 'Node 22, 24 or 26 with glibc 2.38 or newer',
    knowsAdopted: false,
  },
  {
    alias: 'uws-20-51',
    version: '20.51.4',
    nodes: 'Node 18, 20, 22 or 23 with glibc 2.27 or newer',
    knowsAdopted: true,
  },
] as const

/** The engine's own (uWebSockets, HttpParser.h). */
const DEFAULT_MAX_HEADER_BYTES = 4096

export interface LoadedEngine {
  readonly uws: Engine
  /** Version of the build that answers: `20.51.4`. */
  readonly version: string
  /** Whether it knows the address of a connection that it has adopted. */
  readonly knowsAdopted: boolean
  /** Longest block of request line and fields that the build takes, in bytes. */
  readonly maxHeaderBytes: number
}

let loaded: LoadedEngine | undefined

/**
 * The engine, loaded once a process. Reads `UWS_HTTP_MAX_HEADERS_SIZE` (bytes; 4096 without it) while
 * it loads, so the launcher sets that first. Throws UWAS_ERR_SERVER_NO_ENGINE.
 */
export function loadEngine(): LoadedEngine {
  loaded ??= findEngine(createRequire(import.meta.url))
  return loaded
}

/** The first build that `require` can load. Throws UWAS_ERR_SERVER_NO_ENGINE with the reason of each. */
export function findEngine(require: NodeJS.Require): LoadedEngine {
  const tried: string[] = []
  for (const { alias, version, knowsAdopted } of BUILDS) {
    try {
      const uws = loadBuild(require, alias, version)
      uws._cfg('silent')
      return { uws, version, knowsAdopted, maxHeaderBytes: readMaxHeaderBytes() }
    } catch (error) {
      tried.push(`\n  ${version}: ${firstLine(error)}`)
    }
  }
  throw createError('UWAS_ERR_SERVER_NO_ENGINE', {
    platform: describePlatform(),
    advice: BUILDS.map(({ nodes }) => nodes).join('; or '),
    tried: tried.join(''),
  })
}

/**
 * Both builds' JavaScript requires `@uwsjs/<platform>-<arch>-<node>` by name alone, so where npm has
 * hoisted the other build's binary, the newer JavaScript would run on the older binary. The binary's
 * own version decides.
 */
function loadBuild(require: NodeJS.Require, alias: string, version: string): Engine {
  const own = createRequire(require.resolve(alias))
  const binary = `@uwsjs/${process.platform}-${process.arch}-${process.versions.node.split('.')[0]}`
  const manifest = own(`${binary}/package.json`) as { version: string }
  if (manifest.version !== version) {
    throw new Error(
      `its binary for this platform is absent (${binary} here is ${manifest.version})`,
    )
  }
  return require(alias) as Engine
}

/** As the engine has read it a moment ago. */
function readMaxHeaderBytes(): number {
  return Number(process.env['UWS_HTTP_MAX_HEADERS_SIZE']) || DEFAULT_MAX_HEADER_BYTES
}

function describePlatform(): string {
  const header = process.report?.getReport() as
    | { header?: { glibcVersionRuntime?: string } }
    | undefined
  const glibc = header?.header?.glibcVersionRuntime
  const libc =
    process.platform === 'linux' ? `, ${glibc === undefined ? 'no glibc' : `glibc ${glibc}`}` : ''
  return `${process.platform} ${process.arch}, Node ${process.versions.node}${libc}`
}

function firstLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  return message.split('\n')[0] ?? message
}

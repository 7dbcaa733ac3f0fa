/**
 * Runs in Node's module hooks thread. Gets every import of a site's modules; leaves TypeScript without
 * its types, `uwas` as this very copy of uwas, and URLs that carry the load's number, so that a later
 * load is a fresh one. Registered by `site-module.ts`.
 */
import { readFile } from 'node:fs/promises'
import type { InitializeHook, LoadHook, ResolveFnOutput, ResolveHook } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { MessagePort } from 'node:worker_threads'
import { LOAD_PARAMETER } from './site-url.ts'
import { stripKept } from './stripped-cache.ts'
import type { Doubt } from './syntax-place.ts'

export interface HookData {
  /** URL of uwas's public module. */
  readonly uwas: string
  /** Takes a `Doubt` for each JavaScript module that may have a syntax error. */
  readonly doubts: MessagePort
}

const TYPESCRIPT = /\.m?ts$/
const ENDINGS = ['.ts', '.mts', '.js', '.mjs', '/index.ts', '/index.js']

let uwas = ''
let doubts: MessagePort | undefined

export const initialize: InitializeHook<HookData> = (data) => {
  uwas = data.uwas
  doubts = data.doubts
}

export const resolve: ResolveHook = async (specifier, context, next) => {
  const load = loadOf(specifier) ?? loadOf(context.parentURL)
  if (load === undefined) return next(specifier, context)
  if (specifier === 'uwas') return { url: uwas, format: 'module', shortCircuit: true }
  const found = await resolveInSite(specifier, context, next)
  if (!isOfSite(found)) return found
  const url = new URL(found.url)
  url.searchParams.set(LOAD_PARAMETER, load)
  return TYPESCRIPT.test(url.pathname)
    ? { ...found, url: url.href, format: 'module' }
    : { ...found, url: url.href }
}

export const load: LoadHook = async (url, context, next) => {
  if (loadOf(url) === undefined) return next(url, context)
  if (!TYPESCRIPT.test(new URL(url).pathname)) {
    const loaded = await next(url, context)
    if (loaded.format === 'module') await noteDoubt(String(loaded.source), fileURLToPath(url))
    return loaded
  }
  const file = fileURLToPath(url)
  const source = await stripSite(await readFile(file, 'utf8'), file)
  return { format: 'module', source, shortCircuit: true }
}

/**
 * As Node resolves, and besides that a relative path without its ending, as compilers and bundlers
 * allow it.
 */
async function resolveInSite(
  specifier: string,
  context: Parameters<ResolveHook>[1],
  next: Parameters<ResolveHook>[2],
): Promise<ResolveFnOutput> {
  try {
    return await next(specifier, context)
  } catch (error) {
    if (!specifier.startsWith('.')) throw error
    const stem = specifier.replace(/\.js$/, '')
    for (const ending of ENDINGS) {
      const found = await Promise.resolve(next(stem + ending, context)).catch(() => undefined)
      if (found !== undefined) return found
    }
    throw error
  }
}

/** The site's own modules; packages are loaded once a process, CommonJS cannot be loaded twice. */
function isOfSite({ url, format }: ResolveFnOutput): boolean {
  if (!url.startsWith('file:') || url.includes('/node_modules/')) return false
  return TYPESCRIPT.test(new URL(url).pathname) || format === 'module' || format === 'json'
}

function loadOf(url: string | undefined): string | undefined {
  if (url === undefined || !url.includes(LOAD_PARAMETER)) return undefined
  return new URL(url).searchParams.get(LOAD_PARAMETER) ?? undefined
}

/**
 * V8 alone judges JavaScript, but its syntax errors of modules that others import carry no place. So
 * the place is looked for here, by a parser that knows more than JavaScript and may be wrong.
 */
async function noteDoubt(source: string, file: string): Promise<void> {
  const { refusal } = await stripKept(source, file)
  if (refusal?.place === undefined) return
  doubts?.postMessage({ place: refusal.place, excerpt: refusal.excerpt } satisfies Doubt)
}

async function stripSite(source: string, file: string): Promise<string> {
  const { code, refusal } = await stripKept(source, file)
  if (code !== undefined) return code
  const { place = file, message, excerpt } = refusal
  throw new SyntaxError(`${place}: ${message}\n${excerpt}`, { cause: pathToFileURL(file).href })
}

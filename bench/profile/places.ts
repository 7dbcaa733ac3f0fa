/** Where a function stands → its source file, and whose it is. Used by all profiles. */
import { readFileSync } from 'node:fs'
import { SourceMap } from 'node:module'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ROOT } from '../method/builds.ts'

export interface Place {
  readonly name: string
  /** As `src/files/serve.ts:88`; empty for what is no JavaScript. */
  readonly where: string
  readonly owner: string
}

/** As V8's profiles have it: lines and columns from 0. */
export interface CallFrame {
  readonly functionName: string
  /** 0 for what is no JavaScript. */
  readonly scriptId: string
  readonly url: string
  readonly lineNumber: number
  readonly columnNumber: number
}

export const GARBAGE = 'garbage collector'
export const NATIVE = 'native code and kernel'
/** What measures costs something too: no profile shows it. */
export const OF_THE_PROBE = 'the probe'

const maps = new Map<string, SourceMap | undefined>()

export function placeOf(frame: CallFrame): Place {
  const { functionName, url } = frame
  if (functionName === '(garbage collector)') return { name: GARBAGE, where: '', owner: GARBAGE }
  if (functionName === '(program)') {
    return { name: 'outside of JavaScript', where: '', owner: NATIVE }
  }
  const name = functionName || '(anonymous)'
  if (url === '') {
    if (frame.scriptId === '0') return { name: `${name} (native)`, where: '', owner: NATIVE }
    return { name, where: `code made at run time:${frame.lineNumber + 1}`, owner: 'uwas' }
  }
  if (url.startsWith('node:')) {
    return { name, where: `${url}:${frame.lineNumber + 1}`, owner: 'Node' }
  }
  if (!url.startsWith('file:')) {
    return { name, where: `${url}:${frame.lineNumber + 1}`, owner: 'uwas' }
  }
  const { file, line } = original(fileURLToPath(url), frame.lineNumber, frame.columnNumber)
  return { name, where: `${shown(file)}:${line + 1}`, owner: ownerOf(file) }
}

/** The file that a compiled one comes from, and the line there. */
function original(
  file: string,
  line: number,
  column: number,
): { readonly file: string; readonly line: number } {
  const entry = mapOf(file)?.findEntry(line, column)
  if (entry === undefined || !('originalSource' in entry)) return { file, line }
  return { file: resolve(dirname(file), entry.originalSource), line: entry.originalLine }
}

function mapOf(file: string): SourceMap | undefined {
  if (!maps.has(file)) maps.set(file, readMap(file))
  return maps.get(file)
}

function readMap(file: string): SourceMap | undefined {
  try {
    return new SourceMap(JSON.parse(readFileSync(`${file}.map`, 'utf8')))
  } catch {
    return undefined
  }
}

function shown(file: string): string {
  const inside = relative(ROOT, file)
  return inside.startsWith('..') ? file : inside
}

function ownerOf(file: string): string {
  const [, name] = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file) ?? []
  if (name !== undefined) return name.startsWith('uws-') ? 'uWebSockets.js' : name
  if (file === fileURLToPath(new URL('probe.mjs', import.meta.url))) return OF_THE_PROBE
  const isSite = !file.startsWith(join(ROOT, 'src')) || file.startsWith(join(ROOT, 'src/demo'))
  return isSite ? 'the site' : 'uwas'
}

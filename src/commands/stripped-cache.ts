/**
 * Modules without their types, kept in the user's cache folder from one start to the next: a process that has them all
 * need not start the parser. Gets a module's text, leaves what `stripTypes` leaves. Called by `site-hooks.ts`. Where
 * nothing can be kept, or what is kept cannot be trusted, the parser is asked.
 */
import { hash } from 'node:crypto'
import {
  closeSync,
  constants,
  fstatSync,
  futimesSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, extname, join } from 'node:path'
import type { Stripped } from './type-stripper.ts'
import { userCache } from './user-cache.ts'

/** Of all sites of a user; those that were used longest ago leave. */
export const MOST_ENTRIES = 2000
/** A longer one is no module that somebody writes, and is parsed each time. */
const MOST_CHARACTERS = 256 * 1024
/** Between two looks at how many there are. */
const LOOK_EVERY = 100
const DIGEST_LENGTH = 64
const DAY_MS = 86_400_000

interface Cache {
  readonly folder: string
  /** Of the parser. */
  readonly version: string
}

let cache: Cache | null | undefined
let written = 0

/** As `stripTypes`. */
export async function stripKept(source: string, file: string): Promise<Stripped> {
  if (cache === undefined) cache = openCache()
  if (cache === null || source.length > MOST_CHARACTERS || !isOwnSource(file)) {
    return await strip(source, file)
  }
  const path = pathOf(cache, source, file)
  const kept = readEntry(path)
  if (kept !== null) return { code: kept }
  const stripped = await strip(source, file)
  if (stripped.code !== undefined) writeEntry(cache, path, stripped.code)
  return stripped
}

async function strip(source: string, file: string): Promise<Stripped> {
  const { stripTypes } = await import('./type-stripper.ts')
  return await stripTypes(source, file)
}

function openCache(): Cache | null {
  try {
    // Throws for a user without a home, as containers have them.
    const folder = join(userCache(), 'stripped')
    if (!isOwnPlace(userCache())) return null
    mkdirSync(userCache(), { recursive: true })
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const found = lstatSync(folder)
    if (!found.isDirectory() || !isOwn(found)) return null
    const require = createRequire(import.meta.url)
    const { version } = require('@swc/wasm-typescript/package.json') as { version: string }
    return { folder, version }
  } catch {
    return null
  }
}

/** Not by root in the home of somebody else, who could neither use nor remove it, and could put links there. */
function isOwnPlace(path: string): boolean {
  const found = statSync(path, { throwIfNoEntry: false })
  if (found !== undefined) return found.uid === process.getuid?.()
  const parent = dirname(path)
  return parent !== path && isOwnPlace(parent)
}

/** What is kept is run in place of the source: whoever could write the one could have written the other. */
function isOwnSource(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false })?.uid === process.getuid?.()
}

/** What lies here is run: whoever else could write it would be this user. */
function isOwn({ uid, mode }: Stats): boolean {
  return uid === process.getuid?.() && (mode & 0o022) === 0
}

function pathOf({ folder, version }: Cache, source: string, file: string): string {
  return join(folder, hash('sha256', `${version} ${extname(file)}\n${source}`))
}

/** Null where there is none, and for one that somebody else has written, or that is not whole. */
function readEntry(path: string): string | null {
  let fd: number | undefined
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    const found = fstatSync(fd)
    if (!found.isFile() || !isOwn(found)) return null
    const text = readFileSync(fd, 'utf8')
    const code = text.slice(DIGEST_LENGTH)
    if (text.slice(0, DIGEST_LENGTH) !== digestOf(path, code)) return null
    if (Date.now() - found.mtimeMs > DAY_MS) noteUse(fd)
    return code
  } catch {
    return null
  } finally {
    if (fd !== undefined) closeSync(fd)
  }
}

/** An entry under another's name is not that entry. */
function digestOf(path: string, code: string): string {
  return hash('sha256', `${path}\n${code}`)
}

function noteUse(fd: number): void {
  try {
    const now = new Date()
    futimesSync(fd, now, now)
  } catch {
    // The file system is read-only: then nothing is removed from it either.
  }
}

/** Under another name first, so that nobody reads a half. */
function writeEntry({ folder }: Cache, path: string, code: string): void {
  const fresh = `${path}.${process.pid}`
  try {
    if (written++ % LOOK_EVERY === 0) removeOldest(folder)
    writeFileSync(fresh, digestOf(path, code) + code, { mode: 0o600, flag: 'wx' })
    renameSync(fresh, path)
  } catch {
    remove(fresh)
  }
}

function remove(path: string): void {
  try {
    rmSync(path, { force: true })
  } catch {
    // What cannot be written cannot be removed either.
  }
}

function removeOldest(folder: string): void {
  const paths = readdirSync(folder).map((name) => join(folder, name))
  if (paths.length <= MOST_ENTRIES) return
  const entries = paths.map((path) => ({
    path,
    usedMs: statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0,
  }))
  entries.sort((one, other) => other.usedMs - one.usedMs)
  for (const { path } of entries.slice(MOST_ENTRIES)) rmSync(path, { force: true })
}

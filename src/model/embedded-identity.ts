/**
 * As whom the embedded PostgreSQL runs: it refuses to be root. Called by `embedded.ts`. As root the
 * first way that can use the folder is taken: the user who owns the data already, a user namespace
 * (root's files, another uid inside; needs no user and no change of ownership), the user who owns the
 * site's folder, `postgres`, `nobody`.
 */
import { execFile } from 'node:child_process'
import { chownSync, existsSync, lchownSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { createError } from '../core/errors.ts'
import { problemOf } from './failures.ts'

export interface Identity {
  /** For messages: `the current user`. */
  readonly name: string
  /** Owner of its files, as seen from here. */
  readonly uid: number
  readonly gid: number
  /** How a program is spawned as it. */
  wrap(file: string, args: string[]): Spawnable
}

export interface Spawnable {
  readonly file: string
  readonly args: string[]
  readonly options: { uid?: number; gid?: number }
}

interface Account {
  readonly name: string
  readonly uid: number
  readonly gid: number
}

/**
 * Chooses for `folder`, which exists, and gives it and all in it to whom it chose. `program` is what
 * must be runnable (with `--version`). Rejects with UWAS_ERR_MODEL_EMBEDDED_USER.
 */
export async function chooseIdentity(folder: string, program: string): Promise<Identity> {
  const uid = process.getuid?.() ?? -1
  if (uid !== 0) return asCurrentUser(uid, process.getgid?.() ?? -1)
  const tried: string[] = []
  for (const candidate of rootCandidates(folder)) {
    chownSync(folder, candidate.uid, candidate.gid)
    const problem = await probe(candidate, folder, program)
    if (problem === undefined) {
      giveTree(folder, candidate)
      return candidate
    }
    tried.push(`\n  as ${candidate.name}: ${problem}`)
  }
  chownSync(folder, 0, 0)
  throw createError('UWAS_ERR_MODEL_EMBEDDED_USER', { folder, tried: tried.join('') })
}

function rootCandidates(folder: string): Identity[] {
  const accounts = readAccounts()
  const named = (name: string) => accounts.filter((each) => each.name === name)
  const ordinary = [...named('postgres'), ...named('nobody'), ...accounts.filter((a) => a.uid > 0)]
  const inside = ordinary[0]
  const owners = [join(folder, 'data'), dirname(folder)].map(ordinaryOwner)
  const [dataOwner, siteOwner] = owners
  return [
    ...(dataOwner === undefined ? [] : [asAccount(dataOwner)]),
    ...(inside === undefined ? [] : [inNamespace(inside)]),
    ...(siteOwner === undefined ? [] : [asAccount(siteOwner)]),
    ...[...named('postgres'), ...named('nobody')].map(asAccount),
  ]
}

/** The owner of `path`, or of the nearest folder above it, that is not root. */
function ordinaryOwner(path: string, index: number): Account | undefined {
  const above = index > 0 && dirname(path) !== path
  if (existsSync(path)) {
    const { uid, gid } = statSync(path)
    if (uid !== 0) return { name: `uid ${uid}, who owns ${path}`, uid, gid }
  }
  return above ? ordinaryOwner(dirname(path), index) : undefined
}

function asCurrentUser(uid: number, gid: number): Identity {
  const wrap = (file: string, args: string[]) => ({ file, args, options: {} })
  return { name: 'the current user', uid, gid, wrap }
}

function asAccount({ name, uid, gid }: Account): Identity {
  const wrap = (file: string, args: string[]) => ({ file, args, options: { uid, gid } })
  return { name, uid, gid, wrap }
}

/** Root outside, so it reaches what root owns; the uid of `inside` for PostgreSQL itself. */
function inNamespace(inside: Account): Identity {
  const unshare = [`--map-user=${inside.uid}`, `--map-group=${inside.gid}`, '--']
  return {
    name: 'root in a user namespace',
    uid: 0,
    gid: 0,
    wrap: (file, args) => ({
      file: 'unshare',
      args: ['--user', ...unshare, file, ...args],
      options: {},
    }),
  }
}

/** Why `identity` cannot run `program` in `folder`; undefined when it can. */
async function probe(
  identity: Identity,
  folder: string,
  program: string,
): Promise<string | undefined> {
  const script = 'cd "$1" && test -w . && exec "$2" --version'
  const { file, args, options } = identity.wrap('/bin/sh', ['-c', script, 'sh', folder, program])
  try {
    await promisify(execFile)(file, args, { ...options, cwd: '/' })
    return undefined
  } catch (error) {
    const lines = problemOf(error).trim().split('\n')
    return lines.length > 1 ? lines.slice(1).join('; ') : lines[0]
  }
}

/**
 * The data folder itself comes last: its owner tells that all the rest has been given. What goes meanwhile is of
 * another process that starts at the same time, and needs no owner any more.
 */
function giveTree(folder: string, account: Account): void {
  const data = join(folder, 'data')
  if (existsSync(data) && statSync(data).uid === account.uid) return
  for (const path of pathsIn(folder)) {
    if (path !== data) unlessGone(() => lchownSync(path, account.uid, account.gid))
  }
  unlessGone(() => chownSync(data, account.uid, account.gid))
}

function* pathsIn(folder: string): Generator<string> {
  for (const entry of unlessGone(() => readdirSync(folder, { withFileTypes: true })) ?? []) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) yield* pathsIn(path)
    yield path
  }
}

/** What `act` returns; undefined when what it asks for is not there. */
function unlessGone<T>(act: () => T): T | undefined {
  try {
    return act()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** The system's users; root and users without a number left out. */
function readAccounts(): Account[] {
  if (!existsSync('/etc/passwd')) return []
  return readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .map(([name = '', , uid, gid]) => ({ name, uid: Number(uid), gid: Number(gid) }))
    .filter(({ name, uid, gid }) => name !== '' && uid > 0 && gid > 0)
}

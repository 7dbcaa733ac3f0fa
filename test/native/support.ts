/** What the case list needs around the calls: a tree, refusals with their messages, other processes. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  closeSync,
  fstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import type { Native, NativeCode } from '../../src/native/skin.ts'

export const TREE = {
  'top.txt': 'top',
  '글.txt': '안녕',
  a: { b: { 'deep.txt': 'deep' } },
}

type Kind = NativeCode extends `UWAS_ERR_NATIVE_${infer K}` ? K : never
type Message = (subject: string) => string

/** A checker: the call refuses this path with exactly this code, status and message. */
export function refusals(t: Test, call: (path: string) => unknown, root?: string) {
  const beneath = root === undefined ? '' : ` beneath ${JSON.stringify(root)}`
  return (path: string, kind: Kind, status: number, message: Message): void => {
    const subject = JSON.stringify(path) + beneath
    const expected = { code: `UWAS_ERR_NATIVE_${kind}`, status, message: message(subject) }
    t.throws(() => call(path), expected, `${subject} is ${kind}`)
  }
}

export const noEntry: Message = (s) => `${s} does not exist (ENOENT: no such file or directory)`
export const notFolder: Message = (s) => `${s} does not exist (ENOTDIR: not a directory)`
export const tooLong: Message = (s) => `${s} cannot name a file: ENAMETOOLONG: name too long`
export const nul: Message = (s) => `${s} cannot name a file: it contains a NUL character`
export const denied: Message = (s) =>
  `${s} may not be read by this process (EACCES: permission denied)`
export const loop: Message = (s) =>
  `${s} goes over too many symbolic links (ELOOP: too many symbolic links encountered)`
export const leadsOut: Message = (s) =>
  `${s} leads out of that folder: absolute paths, absolute links and ".." above it are refused`

export function textOf(bytes: ArrayBuffer): string {
  return Buffer.from(bytes).toString()
}

export function textBeneath(native: Native, root: string, path: string): string {
  return withFd(native, root, path, (fd) => readFileSync(fd, 'utf8'))
}

export function isFolderBeneath(native: Native, root: string, path: string): boolean {
  return withFd(native, root, path, (fd) => fstatSync(fd).isDirectory())
}

function withFd<T>(native: Native, root: string, path: string, use: (fd: number) => T): T {
  const fd = native.openBeneath(root, path)
  try {
    return use(fd)
  } finally {
    closeSync(fd)
  }
}

export function countOpenFiles(): number {
  return readdirSync('/proc/self/fd').length
}

/** The flags with which a descriptor was opened (proc(5), /proc/pid/fdinfo). */
export function openFlags(fd: number): number {
  const info = readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8')
  return Number.parseInt(/flags:\s*(\d+)/.exec(info)?.[1] ?? '', 8)
}

export function makeFifo(path: string): void {
  execFileSync('mkfifo', [path])
}

/** Runs `use` on a folder with a unix socket `socket` in it; its path must be short (unix(7)). */
export async function withSocket(use: (folder: string) => void): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'uwas-'))
  const server = createServer().listen(join(folder, 'socket'))
  await once(server, 'listening')
  use(folder)
  server.close()
  await once(server, 'close')
  rmSync(folder, { recursive: true })
}

/** Runs `use` as a user who owns nothing; only where this process may change its user. */
export function asNobody(use: () => void): void {
  if (process.getuid?.() !== 0) return use()
  process.seteuid?.(65534)
  try {
    use()
  } finally {
    process.seteuid?.(0)
  }
}

/** Bounded, so that it also ends when nobody stops it. */
const SWAPS = `
const { renameSync } = require('node:fs')
const [swapped, kept, link] = process.argv.slice(1)
process.stdout.write('ready')
for (let i = 0; i < 5_000_000; i++) {
  renameSync(swapped, kept)
  renameSync(link, swapped)
  renameSync(swapped, link)
  renameSync(kept, swapped)
}`

/** Another process swaps the folder `swapped` for a link to `target`, over and over, as an attacker would. */
export async function startSwapper(swapped: string, beside: string, target: string) {
  symlinkSync(target, `${beside}-link`)
  const args = ['-e', SWAPS, swapped, `${beside}-kept`, `${beside}-link`]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
  return {
    async stop(): Promise<void> {
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
    },
  }
}

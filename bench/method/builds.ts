/** Commits → folders with a built uwas in them, beside the work tree and with its packages where they are the same. */
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const ROOT = fileURLToPath(new URL('../../', import.meta.url))

/** Where native/install.mjs leaves it. */
const ADDON = 'build/addon'

export interface Build {
  /** As given. */
  readonly name: string
  readonly root: string
  readonly commit: string
  remove(): void
}

/** `.` is the work tree as it is. Throws when `name` is no commit, or does not build. */
export function build(name: string, dir: string, from = ROOT): Build {
  if (name === '.') {
    compile(from)
    return { name, root: from, commit: 'the work tree', remove: () => {} }
  }
  const commit = resolve(name, from)
  git(from, 'worktree', 'add', '--detach', '--force', dir, commit)
  const remove = (): void => {
    git(from, 'worktree', 'remove', '--force', dir)
    rmSync(dir, { recursive: true, force: true })
  }
  try {
    addPackages(dir, from)
    addNative(dir, from, commit)
    compile(dir)
    return { name, root: dir, commit, remove }
  } catch (error) {
    remove()
    throw error
  }
}

function resolve(name: string, from: string): string {
  try {
    return git(from, 'rev-parse', '--verify', '--quiet', `${name}^{commit}`)
  } catch (error) {
    const message = `${name} is neither a commit, nor \`.\` for the work tree, nor a result ending in .json`
    throw new Error(message, { cause: error })
  }
}

function addPackages(dir: string, from: string): void {
  const lock = (root: string): string => readFileSync(join(root, 'package-lock.json'), 'utf8')
  if (lock(dir) === lock(from)) symlinkSync(join(from, 'node_modules'), join(dir, 'node_modules'))
  else run(dir, 'npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'])
}

/** The work tree's addon, unless what it is made of differs. */
function addNative(dir: string, from: string, commit: string): void {
  const isSame = git(from, 'diff', '--name-only', commit, '--', 'native', 'CMakeLists.txt') === ''
  if (isSame && existsSync(join(from, ADDON))) {
    cpSync(join(from, ADDON), join(dir, ADDON), { recursive: true })
  } else if (!existsSync(join(dir, ADDON))) {
    run(dir, process.execPath, ['native/install.mjs', '--force'])
  }
}

function compile(root: string): void {
  run(root, process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', '.'])
}

function run(cwd: string, command: string, args: readonly string[]): void {
  try {
    execFileSync(command, args, { cwd, stdio: 'pipe', encoding: 'utf8' })
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string }
    const output = `${stdout}${stderr}`.trim().slice(-2000)
    throw new Error(`${args.join(' ')} failed in ${cwd}: ${output}`, { cause: error })
  }
}

function git(cwd: string, ...args: string[]): string {
  return execFileSync('git', args, { cwd, encoding: 'utf8', stdio: 'pipe' }).trim()
}

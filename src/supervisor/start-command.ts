/**
 * How this process was started, and how it is started anew: by the same names, which may lead somewhere else by then. A
 * link to the present release that is set to another one is how a release is changed. Read at start, for `upgrade.ts`.
 */
import { accessSync, constants, realpathSync, statSync } from 'node:fs'
import { delimiter, isAbsolute, join, resolve, sep } from 'node:path'

export interface StartCommand {
  readonly file: string
  readonly args: readonly string[]
  readonly cwd: string
}

/** What a process knows of its start. */
export interface StartFacts {
  /** Real path of the program that runs. */
  readonly execPath: string
  /** The name that it was started by. */
  readonly argv0: string
  readonly execArgv: readonly string[]
  /** The script, absolute, and what came behind it. */
  readonly args: readonly string[]
  /** Real path of the current folder. */
  readonly cwd: string
  readonly env: NodeJS.ProcessEnv
}

/** Asked at start; what is returned makes the command of a later one. Throws nothing, whatever the file system says. */
export function readStart({
  execPath,
  argv0,
  execArgv,
  args,
  cwd,
  env,
}: StartFacts): () => StartCommand {
  const { PWD: pwd = '', PATH: path = '' } = env
  const place = pwd !== cwd && isAbsolute(pwd) && isSame(pwd, cwd) ? pwd : cwd
  const program = (): string | undefined => found(argv0, place, path)
  // A name that someone made up, or that another program has, tells nothing.
  const isByName = program() !== undefined && real(program()) === real(execPath)
  return () => {
    const [script = '', ...rest] = args
    return {
      file: (isByName ? program() : undefined) ?? execPath,
      args: [...execArgv, moved(script, cwd, place), ...rest],
      cwd: place,
    }
  }
}

/** As a shell finds it. */
function found(name: string, cwd: string, path: string): string | undefined {
  if (name.includes(sep)) return isProgram(resolve(cwd, name)) ? resolve(cwd, name) : undefined
  return path
    .split(delimiter)
    .map((folder) => resolve(cwd, join(folder, name)))
    .find(isProgram)
}

/** A path in the folder `from` by the name `to` of that folder. */
function moved(path: string, from: string, to: string): string {
  return path.startsWith(from + sep) ? join(to, path.slice(from.length)) : path
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}

function isSame(a: string, b: string): boolean {
  const [one, other] = [real(a), real(b)]
  return one !== undefined && one === other
}

/** Undefined where there is none, or it may not be looked at. */
function real(path: string | undefined): string | undefined {
  try {
    return path === undefined ? undefined : realpathSync(path)
  } catch {
    return undefined
  }
}

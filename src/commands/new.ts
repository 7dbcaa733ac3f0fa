/**
 * `uwas new DIR`: writes a site that runs at once, to start from. Gets a folder that is empty or does not
 * exist, leaves the files of a small notebook and the exit code. Called by `cli.ts`.
 */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { createError } from '../core/errors.ts'
import { count } from './count.ts'
import { createCommandLog } from './log.ts'
import { SITE_CODE } from './new/site-code.ts'
import { siteFiles } from './new/site-files.ts'
import { showPath } from './site-place.ts'

export async function newCommand(dir: string): Promise<number> {
  const root = resolve(dir)
  const files = Object.entries({ ...SITE_CODE, ...siteFiles(packageName(root)) })
  attempt(dir, () => {
    mkdirSync(root, { recursive: true })
    // What a new repository has already.
    const [there] = readdirSync(root).filter((name) => name !== '.git')
    if (there !== undefined) {
      throw refuse(dir, `it is not empty (${there} is there); name a new folder`)
    }
    for (const [path, text] of files) {
      mkdirSync(dirname(join(root, path)), { recursive: true })
      // Never over a file that somebody writes meanwhile.
      writeFileSync(join(root, path), text, { flag: 'wx' })
    }
  })
  const enter = root === process.cwd() ? '' : `cd ${quoted(showPath(root))} && `
  createCommandLog().info(
    `${showPath(root)}: ${count(files.length, 'file')}. Go on with: ${enter}uwas dev`,
  )
  return 0
}

/** What the system says becomes a message with the folder's name. */
function attempt(dir: string, work: () => void): void {
  try {
    work()
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code?.startsWith('UWAS_')) throw error
    throw refuse(dir, message, error)
  }
}

function refuse(dir: string, problem: string, cause?: unknown): Error {
  return createError('UWAS_ERR_COMMANDS_NEW', { dir: JSON.stringify(dir), problem }, cause)
}

/** For a shell. */
function quoted(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`
}

/** A name that npm takes: small letters, digits and hyphens. */
function packageName(root: string): string {
  const name = basename(root)
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
  return name === '' ? 'site' : name.slice(0, 200)
}

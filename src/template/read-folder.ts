/** A folder → the texts of its `*.mustache` files, sorted by name. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createError } from '../core/errors.ts'
import { Mistakes } from './errors.ts'

export interface TemplateFile {
  readonly name: string
  readonly file: string
  readonly source: string
}

const ENDING = '.mustache'

/**
 * Neither dotfiles nor symbolic links: a template cannot come from outside the folder. A file that is
 * not UTF-8 is an error in `mistakes`; a folder that cannot be read is thrown.
 */
export function readTemplateFiles(dir: string): { files: TemplateFile[]; mistakes: Mistakes } {
  const files: TemplateFile[] = []
  const mistakes = new Mistakes()
  for (const name of namesIn(dir, '')) {
    const file = join(dir, `${name}${ENDING}`)
    try {
      files.push({ name, file, source: readText(file) })
    } catch (cause) {
      const problem = cause instanceof TypeError ? 'it is not UTF-8 text' : (cause as Error).message
      mistakes.add(() => createError('UWAS_ERR_TEMPLATE_FILE', { file, problem }, cause))
    }
  }
  return { files, mistakes }
}

function namesIn(dir: string, prefix: string): string[] {
  const names: string[] = []
  for (const entry of entriesOf(join(dir, prefix))) {
    if (entry.name.startsWith('.')) continue
    if (entry.isDirectory()) {
      for (const name of namesIn(dir, `${prefix}${entry.name}/`)) names.push(name)
    } else if (entry.isFile() && entry.name.endsWith(ENDING)) {
      names.push(prefix + entry.name.slice(0, -ENDING.length))
    }
  }
  return names.sort()
}

function entriesOf(dir: string) {
  try {
    return readdirSync(dir, { withFileTypes: true })
  } catch (cause) {
    const problem = (cause as Error).message
    throw createError('UWAS_ERR_TEMPLATE_DIRECTORY', { dir, problem }, cause)
  }
}

/** A byte order mark is dropped; bytes that are not UTF-8 are a TypeError. */
function readText(file: string): string {
  return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file))
}

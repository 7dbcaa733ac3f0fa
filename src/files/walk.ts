/**
 * Lists the files of a mount's folder. Gets the folder's real path and a rule for hidden names, gives
 * relative paths; what is left out for a reason that its owner should know is reported.
 */
import type { Dirent } from 'node:fs'
import { readdir, realpath, stat } from 'node:fs/promises'
import { encodePath, parseTarget } from '../http/target.ts'

export interface WalkRules {
  /** Whether a file or folder is left out in silence, with all that is in it. */
  readonly isHidden: (relative: string) => boolean
  /** Called with the relative path and the reason for what is left out aloud. */
  readonly skip: (relative: string, reason: string) => void
  /** Called with each folder before it is read: its relative path, '' for the root, and its real one. */
  readonly enter?: (relative: string, real: string) => void
  /** Called with the relative path of each link that leads to a file. */
  readonly link?: (relative: string) => void
}

/** A folder on the way from the root; links may give one folder several ways, so real paths are kept. */
interface Folder {
  readonly relative: string
  readonly real: string
  readonly parent: Folder | null
}

/** What Node puts in place of bytes that are no UTF-8: nobody can open a file by that name. */
const REPLACEMENT = '\ufffd'

/**
 * Relative paths (`css/site.css`) of everything that is a file or leads to one, in no special order. Links to
 * folders are followed inside `root`, once per way. `start` is a folder below `root` to begin at. Rejects
 * only when the folder to begin at cannot be read.
 */
export async function walkFolder(root: string, rules: WalkRules, start = ''): Promise<string[]> {
  const files: string[] = []
  const first = await folderAt(root, start)
  const queue: Folder[] = [first]
  for (let folder = queue.pop(); folder !== undefined; folder = queue.pop()) {
    rules.enter?.(folder.relative, folder.real)
    for (const item of await listFolder(folder, rules, folder === first)) {
      const relative = folder.relative === '' ? item.name : `${folder.relative}/${item.name}`
      if (rules.isHidden(relative)) continue
      const reason = whyUnreachable(item.name)
      if (reason !== null) {
        rules.skip(relative, reason)
      } else if (item.isFile()) {
        files.push(relative)
      } else if (item.isDirectory()) {
        queue.push({ relative, real: `${folder.real}/${item.name}`, parent: folder })
      } else if (item.isSymbolicLink()) {
        const target = await followLink(root, folder, relative, rules)
        if (target === 'file') {
          rules.link?.(relative)
          files.push(relative)
        } else if (target !== null) queue.push(target)
      }
    }
  }
  return files
}

/** Why no request can name a file or folder of this name; null when one can. */
export function whyUnreachable(name: string): string | null {
  if (name.includes(REPLACEMENT)) return 'its name is not UTF-8'
  const target = parseTarget(encodePath(`/${name}`))
  return typeof target === 'number' ? 'no URL can hold its name' : null
}

/** A folder with all that lie around it, so that a link back to one of them is known. */
async function folderAt(root: string, relative: string): Promise<Folder> {
  let folder: Folder = { relative: '', real: root, parent: null }
  const parts = relative === '' ? [] : relative.split('/')
  for (const [i] of parts.entries()) {
    const below = parts.slice(0, i + 1).join('/')
    folder = { relative: below, real: await realpath(`${root}/${below}`), parent: folder }
  }
  return folder
}

async function listFolder(folder: Folder, rules: WalkRules, isFirst: boolean): Promise<Dirent[]> {
  try {
    return await readdir(folder.real, { withFileTypes: true })
  } catch (error) {
    if (isFirst) throw error
    rules.skip(folder.relative, (error as Error).message)
    return []
  }
}

/** What a link leads to: a file, a folder to walk, or null when it is left out. */
async function followLink(
  root: string,
  folder: Folder,
  relative: string,
  rules: WalkRules,
): Promise<'file' | Folder | null> {
  try {
    const path = `${root}/${relative}`
    // One after the other: a failure then always has the same words, and is warned of once.
    const real = await realpath(path)
    const stats = await stat(path)
    if (real !== root && !real.startsWith(`${root}/`)) {
      rules.skip(relative, 'it is a link that leads out of the folder')
    } else if (stats.isFile()) {
      return 'file'
    } else if (stats.isDirectory()) {
      if (!isOnTheWay(folder, real)) return { relative, real, parent: folder }
      rules.skip(relative, 'it is a link back to a folder that it lies in')
    }
  } catch (error) {
    rules.skip(relative, (error as Error).message)
  }
  return null
}

function isOnTheWay(folder: Folder, real: string): boolean {
  for (let at: Folder | null = folder; at !== null; at = at.parent) {
    if (at.real === real) return true
  }
  return false
}

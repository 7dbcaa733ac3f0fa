/** The folder of what a site keeps between starts: the key `stateDir`, complete. Read by `config.ts` and what keeps files there. */
import { resolve } from 'node:path'

/** Absolute; `root` is the folder of the configuration. */
export function stateDirOf(given: string | undefined, root: string): string {
  return resolve(root, given ?? '.uwas')
}

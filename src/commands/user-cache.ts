/** Where a user's programs keep what can be made again (XDG Base Directory Specification). */
import { homedir } from 'node:os'
import { join } from 'node:path'

/** What uwas keeps there. */
export function userCache(): string {
  return join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'uwas')
}

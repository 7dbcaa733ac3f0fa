/** Which paths a guard is for: the patterns of redirects, but that a folder is part of what lies below it. */
import { createError } from '../../core/errors.ts'
import { parsePattern } from '../rule-pattern.ts'

/** Whether one of these is: the names, decoded and canonical, of what may answer. A path that nothing has is without. */
export type GuardPath = (names: readonly string[]) => boolean

/** Undefined: all. `where` begins the message. Throws UWAS_ERR_WAS_GUARD. */
export function guardPath(where: string, text: string | undefined): GuardPath {
  if (text === undefined || text === '/*') return () => true
  if (/%[0-9a-f]{2}/i.test(text)) {
    const problem = `the path ${JSON.stringify(text)} is encoded, and paths are compared decoded; write it as people read it`
    throw createError('UWAS_ERR_WAS_GUARD', { where, problem })
  }
  // A slash at the end makes no other thing of a path.
  const bare = text.replace(/\/\*?$/, '')
  const all = bare === '' ? [text] : [bare, text.endsWith('/*') ? text : `${bare}/`]
  const patterns = all.map((one) => {
    const pattern = parsePattern(one)
    if (typeof pattern !== 'string') return pattern
    const problem = `the path ${JSON.stringify(text)} cannot be: ${pattern}`
    throw createError('UWAS_ERR_WAS_GUARD', { where, problem })
  })
  const fits = (name: string): boolean => patterns.some((pattern) => pattern.match(name) !== null)
  return (names) => names.some(fits)
}

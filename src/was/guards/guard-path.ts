/** Which paths a guard is for: the patterns of redirects, but that a folder is part of what lies below it. */
import { createError } from '../../core/errors.ts'
import { parsePattern } from '../rule-pattern.ts'

/** Whether a path, decoded and canonical, is one of them; null is a path that nothing has. */
export type GuardPath = (path: string | null) => boolean

/** Undefined: all. `where` begins the message. Throws UWAS_ERR_WAS_GUARD. */
export function guardPath(where: string, text: string | undefined): GuardPath {
  if (text === undefined || text === '/*') return () => true
  const patterns = [text, ...(text.endsWith('/*') ? [text.slice(0, -2)] : [])].map((one) => {
    const pattern = parsePattern(one)
    if (typeof pattern !== 'string') return pattern
    const problem = `the path ${JSON.stringify(text)} cannot be: ${pattern}`
    throw createError('UWAS_ERR_WAS_GUARD', { where, problem })
  })
  return (path) => path !== null && patterns.some((pattern) => pattern.match(path) !== null)
}

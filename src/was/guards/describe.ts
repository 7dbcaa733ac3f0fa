/** Which guards a request meets, in words: for `uwas explain`. */
import { describeKey } from '../limits/keys.ts'
import { guardPath } from './guard-path.ts'
import type { GuardRules } from './guards.ts'
import type { AccessRule, RequestLimitRule } from './options.ts'

/** One line each, in their order; for the names of what answers. */
export function describeGuards(
  { access, requests }: GuardRules,
  method: string,
  names: readonly string[],
): string[] {
  const isHere = (where: string, path: string | undefined): boolean => guardPath(where, path)(names)
  const rules = access.flatMap((rule, i) => {
    const where = `access[${i}]`
    return isHere(where, rule.path) ? [`${where}, ${placeOf(rule)}: ${describeRule(rule)}`] : []
  })
  const limits = requests.flatMap((limit, i) => {
    const where = `limits.requests[${i}]`
    const isMethod = limit.methods?.includes(method) ?? true
    if (!isMethod || !isHere(where, limit.path)) return []
    return [`${where}, ${placeOf(limit)}: ${describeLimit(limit)}`]
  })
  return [...rules, ...limits]
}

function placeOf({ path = 'all paths' }: { readonly path?: string | undefined }): string {
  return path
}

function describeRule({ allow, deny, basicAuth }: AccessRule): string {
  const parts = [
    ...(deny === undefined ? [] : [`not from ${deny.join(' ')}`]),
    ...(allow === undefined ? [] : [`only from ${allow.join(' ')}`]),
    ...(basicAuth === undefined
      ? []
      : [`a name and a password, of ${Object.keys(basicAuth.users).length}`]),
  ]
  return parts.join('; ')
}

function describeLimit(limit: RequestLimitRule): string {
  const { requests, perSeconds, burst = requests, key = 'address' } = limit
  const { maxDelayMs = 0, dryRun = false } = limit
  const parts = [
    `${requests} in ${perSeconds} s, ${burst} at once, by ${describeKey(key)}`,
    ...(maxDelayMs === 0 ? [] : [`what is more waits up to ${maxDelayMs} ms`]),
    ...(dryRun ? ['counted only (dryRun)'] : []),
  ]
  return parts.join('; ')
}

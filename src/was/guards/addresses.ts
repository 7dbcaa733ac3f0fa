/** Which clients may ask, by their networks: `allow` and `deny` of a rule. Called by `guards.ts`. */
import { createError } from '../../core/errors.ts'
import { HttpError } from '../../http/http-error.ts'
import { NETWORK_WORDS, Networks } from '../../http/networks.ts'
import type { AccessRule } from './options.ts'
import type { Step } from './step.ts'

/** Null where the rule names no networks. Throws UWAS_ERR_WAS_GUARD. */
export function addressGuard(where: string, { allow, deny }: AccessRule): Step | null {
  if (allow === undefined && deny === undefined) return null
  const allowed = allow === undefined ? null : read(where, 'allow', allow)
  const denied = read(where, 'deny', deny ?? [])
  return (req, next) => {
    const { address } = req.client
    if (denied.has(address) || allowed?.has(address) === false) throw new HttpError(403)
    return next()
  }
}

function read(where: string, list: string, networks: readonly string[]): Networks {
  return new Networks(networks, (network) => {
    const problem = `${list} has ${JSON.stringify(network)}, which is not ${NETWORK_WORDS}`
    return createError('UWAS_ERR_WAS_GUARD', { where, problem })
  })
}

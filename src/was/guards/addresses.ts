/** Which clients may ask, by their networks: `allow` and `deny` of a rule. Called by `guards.ts`. */
import { createError } from '../../core/errors.ts'
import { NETWORK_WORDS, Networks } from '../../http/networks.ts'
import type { Request } from '../../http/request.ts'
import type { AccessRule } from './options.ts'

/** Whether it lets a request through. Null where the rule names no networks. Throws UWAS_ERR_WAS_GUARD. */
export function addressGuard(
  where: string,
  { allow, deny }: AccessRule,
): ((req: Request) => boolean) | null {
  if (allow === undefined && deny === undefined) return null
  const allowed = allow === undefined ? null : read(where, 'allow', allow)
  const denied = read(where, 'deny', deny ?? [])
  return ({ client: { address } }) => !denied.has(address) && allowed?.has(address) !== false
}

function read(where: string, list: string, networks: readonly string[]): Networks {
  return new Networks(networks, (network) => {
    const problem = `${list} has ${JSON.stringify(network)}, which is not ${NETWORK_WORDS}`
    return createError('UWAS_ERR_WAS_GUARD', { where, problem })
  })
}

/** New accounts: a name and a password come in, a user or what is wrong with them leaves. Called by views and `uwas createuser`. */
import type { Request } from '../../http/request.ts'
import type { Queryable } from '../../model/statement.ts'
import { addressKey, tooMany } from '../limits/too-many.ts'
import { ACCOUNTS, type Accounts } from './accounts.ts'
import { type NameProblem, nameKey, nameProblem, normalizeName } from './names.ts'
import type { PasswordProblem } from './password-rules.ts'
import { createAccount } from './statements.ts'
import type { User } from './user.ts'

/** Who signs up. */
export interface NewUser {
  readonly name: string
  readonly password: string
  /** Default none. */
  readonly groups?: readonly string[]
}

/** A user, or what is wrong: `taken` is also a name that only looks like another's. */
export type SignUpResult =
  | { readonly user: User }
  | {
      readonly user: undefined
      readonly problems: {
        readonly name?: NameProblem | { readonly kind: 'taken' }
        readonly password?: PasswordProblem
      }
    }

/**
 * Makes an account; it does not log in (`logInAs` does). Of two who want one name at once one gets it. Throws 429
 * (HttpError) for too many of one client, UWAS_ERR_WAS_GROUP, and rejects as `Passwords.hash` and as statements do.
 */
export async function signUp(req: Request, wanted: NewUser): Promise<SignUpResult> {
  const accounts = req.services.get(ACCOUNTS)
  const problems = problemsOf(accounts, wanted)
  if (problems !== null) return { user: undefined, problems }
  const verdict = accounts.signUps.take(addressKey(req))
  if (!verdict.allowed) throw tooMany(verdict.retryMs)
  return await makeUser(req, accounts, wanted, req.signal)
}

/** For `uwas createuser` too: without a limit. */
export async function makeUser(
  on: Queryable,
  accounts: Accounts,
  wanted: NewUser,
  signal?: AbortSignal,
): Promise<SignUpResult> {
  const problems = problemsOf(accounts, wanted)
  if (problems !== null) return { user: undefined, problems }
  const groups = [...new Set(wanted.groups ?? [])].map((group) => accounts.checkGroup(group))
  const password = await accounts.passwords.hash(wanted.password, signal)
  const name = normalizeName(wanted.name) as string
  const key = nameKey(wanted.name) as string
  const row = await createAccount.maybe(on, { name, key, password, groups })
  if (row === undefined) return { user: undefined, problems: { name: { kind: 'taken' } } }
  return { user: accounts.userOf({ id: row.id, name, groups: groups.sort() }) }
}

function problemsOf({ passwords }: Accounts, { name, password }: NewUser) {
  const wrongName = nameProblem(name)
  const wrongPassword = passwords.problem(password, [name])
  if (wrongName === undefined && wrongPassword === undefined) return null
  return {
    ...(wrongName === undefined ? {} : { name: wrongName }),
    ...(wrongPassword === undefined ? {} : { password: wrongPassword }),
  }
}

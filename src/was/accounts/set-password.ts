/**
 * Another password for who has forgotten theirs: a user and a password come in, null or what is wrong leaves. Called by
 * views that have other proof, and by `uwas setpassword`.
 */
import type { Queryable } from '../../model/statement.ts'
import { ACCOUNTS, type Accounts, type AccountsOn, changeRunner, readRunner } from './accounts.ts'
import type { PasswordProblem } from './password-rules.ts'
import { accountById, changePasswordRow } from './statements.ts'

/** What came of `setPassword`: null for done. `unknown`: there is no such user, or it is blocked. */
export type SetPasswordProblem = PasswordProblem | { readonly kind: 'unknown' }

/**
 * Gives a user another password without asking for the present one: call it only for who has proved by other means
 * whose account it is. All sessions of theirs end, that of this request too. It belongs to the transaction of the route
 * if that has one. Null when it is done, else what is wrong. Rejects as `Passwords.hash` and as statements do.
 */
export async function setPassword(
  on: AccountsOn,
  userId: number,
  next: string,
): Promise<SetPasswordProblem | null> {
  const row = await accountById.maybe(readRunner(on), { id: userId })
  if (row === undefined) return { kind: 'unknown' }
  return await replacePassword(changeRunner(on), on.services.get(ACCOUNTS), row, next)
}

/** For `uwas setpassword` too. */
export async function replacePassword(
  on: Queryable,
  { passwords }: Pick<Accounts, 'passwords'>,
  { id, name }: { readonly id: number; readonly name: string },
  next: string,
): Promise<PasswordProblem | null> {
  const problem = passwords.problem(next, [name])
  if (problem !== undefined) return problem
  await changePasswordRow.one(on, { id, password: await passwords.hash(next) })
  return null
}

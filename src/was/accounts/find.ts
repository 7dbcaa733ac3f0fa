/** Users by their names, for what is meant for somebody: a message, a share, points. Called by views. */
import { type AccountsOn, readRunner } from './accounts.ts'
import { nameKey } from './names.ts'
import { findAccount } from './statements.ts'

/**
 * The user of this name, however it is written; undefined where nobody who may log in has it. It tells whether there
 * is such a user: ask only for those who may know that.
 */
export async function findUser(
  on: AccountsOn,
  name: string,
): Promise<{ readonly id: number; readonly name: string } | undefined> {
  const key = nameKey(name)
  if (key === undefined) return undefined
  const row = await findAccount.maybe(readRunner(on), { key })
  return row?.active === true ? { id: row.id, name: row.name } : undefined
}

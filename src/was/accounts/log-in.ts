/**
 * Logging in and out, and other passwords. The session gets a new id whenever what its client may do changes, and
 * belongs to an epoch of its user: with a new one all that were before are worth nothing, wherever they are kept.
 */
import type { Request } from '../../http/request.ts'
import { joinedBy, mayBeUndone } from '../../model/escape.ts'
import type { Transaction } from '../../model/transaction.ts'
import { addressKey, tooMany } from '../limits/too-many.ts'
import { session } from '../session/open.ts'
import {
  ACCOUNTS,
  type Accounts,
  type AccountsOn,
  changeRunner,
  ownRunner,
  readRunner,
} from './accounts.ts'
import { EPOCH_KEY, setCurrentUser, user } from './current-user.ts'
import { nameKey } from './names.ts'
import type { PasswordProblem } from './password-rules.ts'
import {
  accountById,
  changePasswordRow,
  endEpoch,
  findAccount,
  setActive,
  upgradePassword,
} from './statements.ts'
import type { User } from './user.ts'

/**
 * Logs in who has this name and password; undefined where nobody has: which of the two was wrong is not told, and
 * takes the same time. Failures are counted by client (of IPv6 the /64) and by name, whether there is such a user or
 * not: 429 (HttpError). It goes by what the transaction of the route sees, if that has one, else by what is committed. Rejects as `Passwords.verify` and as statements do.
 */
export async function logIn(
  req: Request,
  name: string,
  password: string,
): Promise<User | undefined> {
  const accounts = req.services.get(ACCOUNTS)
  const key = nameKey(name) ?? ''
  const giveBack = spend(req, accounts, key)
  const tx = joinedBy(req)
  const row = await findAccount.maybe(readRunner(req), { key })
  const isRight = await accounts.passwords.verify(password, row?.password, req.signal)
  if (row === undefined || row.password === null || !isRight || !row.active) return undefined
  giveBack()
  if (accounts.passwords.isOutdated(row.password)) {
    await keepBetter(req, accounts, { id: row.id, password, before: row.password })
  }
  return await begin(req, accounts.userOf(row), row.epoch, tx)
}

/** Logs in a user who has proved it by other means: who has just signed up. Undefined when it is blocked. */
export async function logInAs(req: Request, known: Pick<User, 'id'>): Promise<User | undefined> {
  const accounts = req.services.get(ACCOUNTS)
  const tx = joinedBy(req)
  const row = await accountById.maybe(readRunner(req), { id: known.id })
  if (row === undefined) return undefined
  return await begin(req, accounts.userOf(row), row.epoch, tx)
}

/** Ends the session, here and where it is kept. */
export async function logOut(req: Request): Promise<void> {
  const own = await session(req)
  own.destroy()
  setCurrentUser(req, undefined)
}

/** What came of `changePassword`: null for done. */
export type PasswordChangeProblem = PasswordProblem | { readonly kind: 'wrong' }

/**
 * Gives the user of the request another password, who has to know the present one. All other sessions of theirs end;
 * this one gets a new id. Null when it is done, else what is wrong. It belongs to the transaction of the route if that has
 * one, and is undone with it. Throws 429 as `logIn` does.
 */
export async function changePassword(
  req: Request,
  present: string,
  next: string,
): Promise<PasswordChangeProblem | null> {
  const accounts = req.services.get(ACCOUNTS)
  const current = await user(req)
  const row = current && (await accountById.maybe(readRunner(req), { id: current.id }))
  if (current === undefined || current.scopes !== null || row === undefined) {
    return { kind: 'wrong' }
  }
  const giveBack = spend(req, accounts, nameKey(row.name) ?? '')
  const isRight = await accounts.passwords.verify(present, row.password, req.signal)
  if (!isRight) return { kind: 'wrong' }
  giveBack()
  const problem = accounts.passwords.problem(next, [row.name])
  if (problem !== undefined) return problem
  const password = await accounts.passwords.hash(next, req.signal)
  const tx = joinedBy(req)
  const { epoch } = await changePasswordRow.one(req, { id: current.id, password })
  await begin(req, current, epoch, tx)
  return null
}

/**
 * Ends all sessions of a user, that of this request too where it is theirs: "log out everywhere". As all changes of an
 * account it belongs to the transaction of the route if that has one, and is undone with it.
 */
export async function logOutEverywhere(on: AccountsOn, userId: number): Promise<void> {
  await endEpoch.maybe(changeRunner(on), { id: userId })
}

/** Blocks a user, or lets them in again: neither password nor token nor session of a blocked one is worth anything. */
export async function setUserActive(
  on: AccountsOn,
  userId: number,
  active: boolean,
): Promise<void> {
  await setActive.run(changeRunner(on), { id: userId, active })
}

/** `tx` is what the epoch was read in. Undefined where that has ended meanwhile, as nobody may wait for this any more. */
async function begin(
  req: Request,
  known: User,
  epoch: number,
  tx: Transaction | null,
): Promise<User | undefined> {
  const own = await session(req)
  if (joinedBy(req) !== tx) return undefined
  // What another one held goes; what nobody held stays. Either way the id that a stranger may know is void.
  own.rotate({ userId: String(known.id) })
  own.set(EPOCH_KEY, epoch)
  setCurrentUser(req, known)
  return known
}

/**
 * A hash of the present cost for one that was made at another, in no transaction: what is open around may hold the row and
 * would be waited for. A log-in does not fail by it; the next one tries again.
 */
async function keepBetter(
  req: Request,
  { passwords }: Accounts,
  { id, password, before }: { id: number; password: string; before: string },
): Promise<void> {
  const keep = async () => {
    const better = await passwords.hash(password, req.signal)
    await upgradePassword.run(ownRunner(req), { id, password: better, before })
  }
  const tx = joinedBy(req)
  if (tx !== null) tx.onCommit(keep)
  else if (!mayBeUndone(req)) await keep().catch(() => {})
}

/** Counts an attempt; what it returns takes that back. Throws 429. */
function spend(req: Request, { byAddress, byName }: Accounts, key: string): () => void {
  const address = addressKey(req)
  const { allowed, retryMs } = byAddress.take(address)
  if (!allowed) throw tooMany(retryMs)
  const named = byName.take(key)
  if (!named.allowed) throw tooMany(named.retryMs)
  return () => {
    byAddress.giveBack(address)
    byName.giveBack(key)
  }
}

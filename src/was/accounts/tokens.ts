/** Tokens for programs (`Authorization: Bearer`): made for a user, shown once, kept as a hash. Called by views. */
import { createError } from '../../core/errors.ts'
import type { Queryable } from '../../model/statement.ts'
import { ACCOUNTS, type AccountsOn, changeRunner } from './accounts.ts'
import { createTokenRow, joinGroup, leaveGroup, listTokens, removeToken } from './statements.ts'
import { hashOfToken, newTokenText } from './token-text.ts'

/** What a token is for. */
export interface TokenOptions {
  /** What its owner knows it by, 1 to 100 characters. */
  readonly name: string
  /** What it may be used for, in the site's own words: permissions, and scopes of `requireUser`. */
  readonly scopes: readonly string[]
  /** Default: it does not expire. */
  readonly expiresInSeconds?: number
}

/** A token as its owner sees it in a list. */
export interface TokenInfo {
  readonly id: string
  readonly name: string
  readonly scopes: readonly string[]
  readonly createdAt: Date
  readonly expiresAt: Date | null
}

/**
 * Makes a token for a user. `token` is given here and never again. It may what the user may, and of that only what
 * its scopes name. Throws UWAS_ERR_WAS_TOKEN for options that are none.
 */
export async function createToken(
  on: Queryable,
  userId: number,
  { name, scopes, expiresInSeconds }: TokenOptions,
): Promise<{ token: string; id: string }> {
  if (name.trim() === '' || name.length > 100) throw wrong('name has to have 1 to 100 characters')
  if (scopes.some((scope) => !/^[\w.:*/-]{1,100}$/.test(scope))) {
    throw wrong('a scope is a word of letters, digits and . _ : * / -')
  }
  const isTime = expiresInSeconds === undefined || Number.isFinite(expiresInSeconds)
  if (!isTime || Number(expiresInSeconds) <= 0) throw wrong('expiresInSeconds is no time to come')
  const token = newTokenText()
  const id = crypto.randomUUID()
  await createTokenRow.run(on, {
    id,
    hash: hashOfToken(token) as Buffer,
    userId,
    name,
    scopes: [...scopes],
    expiresAt:
      expiresInSeconds === undefined ? null : new Date(Date.now() + expiresInSeconds * 1000),
  })
  return { token, id }
}

/** The tokens of a user, the newest first; 1000 at most. */
export function tokensOf(on: Queryable, userId: number): Promise<TokenInfo[]> {
  return listTokens.all(on, { userId })
}

/** Ends a token of the user; false when they have none of that id. */
export async function revokeToken(on: Queryable, userId: number, id: string): Promise<boolean> {
  const isId = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id)
  return isId && (await removeToken.run(on, { userId, id })) === 1
}

/** Puts a user into a group of the configuration, in the transaction of the route if it has one. Throws UWAS_ERR_WAS_GROUP. */
export async function addToGroup(on: AccountsOn, userId: number, group: string): Promise<void> {
  on.services.get(ACCOUNTS).checkGroup(group)
  await joinGroup.run(changeRunner(on), { id: userId, group })
}

/** Takes a user out of a group, as `addToGroup`; also out of one that the configuration does not name any more. */
export async function removeFromGroup(
  on: AccountsOn,
  userId: number,
  group: string,
): Promise<void> {
  await leaveGroup.run(changeRunner(on), { id: userId, group })
}

function wrong(problem: string): Error {
  return createError('UWAS_ERR_WAS_TOKEN', { problem })
}

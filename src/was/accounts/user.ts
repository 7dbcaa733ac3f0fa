/** Who asks, and what they may. Views ask `user(req)` and `can`; `current-user.ts` finds out. */

/** An account, as the request's client has proved it. Frozen. */
export interface User {
  readonly id: number
  /** As it was chosen; shown to others. */
  readonly name: string
  readonly groups: readonly string[]
  /** What the groups may, by the configuration. */
  readonly permissions: ReadonlySet<string>
  /** What the token of the request is for; null: the client has logged in, and may all that the user may. */
  readonly scopes: readonly string[] | null
}

/** Whether somebody may do something to this one thing: a plain function. */
export type Policy<T> = (user: User | undefined, object: T) => boolean

/**
 * Whether the user has a permission: a group of theirs does (`*` is every one), and the token, where one was sent,
 * is for it. With a policy: what that says of the object. Nobody (undefined) has no permission.
 */
export function can(user: User | undefined, permission: string): boolean
export function can<T>(user: User | undefined, policy: Policy<T>, object: T): boolean
export function can<T>(user: User | undefined, what: string | Policy<T>, object?: T): boolean {
  if (typeof what === 'function') return what(user, object as T)
  if (user === undefined) return false
  const isGranted = user.permissions.has(what) || user.permissions.has('*')
  return isGranted && hasScope(user, what)
}

/** Whether the request may do what `scope` names: by log-in always, by a token that says so. */
export function hasScope(user: User, scope: string): boolean {
  return user.scopes === null || user.scopes.includes(scope)
}

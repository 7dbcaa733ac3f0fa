/**
 * `uwas createuser NAME`: an account from the command line, the first editor of a site above all. Gets the flags and a
 * password from the terminal, without echo, or from standard input; leaves the exit code. Called by `cli.ts`.
 */
import { createError } from '../core/errors.ts'
import { createOwnTables } from '../model/own-tables.ts'
import { Accounts } from '../was/accounts/accounts.ts'
import { describeNameProblem, nameProblem } from '../was/accounts/names.ts'
import { describePasswordProblem } from '../was/accounts/password-rules.ts'
import { makeUser, type SignUpResult } from '../was/accounts/sign-up.ts'
import { ownDatabase } from '../was/own-database.ts'
import { createCommandLog } from './log.ts'
import { withDatabase } from './migrate.ts'
import { askTwice, readLine } from './secret.ts'
import { loadSite, type SiteFlags } from './site.ts'
import { showPath } from './site-place.ts'

export interface CreateUserFlags extends SiteFlags {
  readonly group: readonly string[]
}

export async function createUserCommand(name: string, flags: CreateUserFlags): Promise<number> {
  const log = createCommandLog()
  const config = await loadSite(flags)
  if (config.accounts === null) {
    throw refuse(`${showPath(config.file ?? config.root)} has no accounts: add the key "accounts"`)
  }
  const accounts = new Accounts(config.accounts)
  for (const group of flags.group) accounts.checkGroup(group)
  const wrong = nameProblem(name)
  if (wrong !== undefined) throw refuse(`the name ${describeNameProblem(wrong)}`)
  const password = process.stdin.isTTY ? await askTwice(refuse) : await readLine(process.stdin)
  await withDatabase(config, log, async (database) => {
    await createOwnTables(database, ownDatabase(config).steps, { log })
    const made = await makeUser(database, accounts, { name, password, groups: flags.group })
    if (made.user === undefined) throw refuse(problemOf(made))
    const groups = made.user.groups.length === 0 ? '' : ` in ${made.user.groups.join(', ')}`
    log.info(`made the user ${made.user.name}${groups}`)
  })
  return 0
}

function problemOf({ problems }: Extract<SignUpResult, { user: undefined }>): string {
  const { name, password } = problems
  if (password !== undefined) return `the password ${describePasswordProblem(password)}`
  if (name === undefined || name.kind === 'taken')
    return 'the name is taken, or looks like one that is'
  return `the name ${describeNameProblem(name)}`
}

function refuse(problem: string): Error {
  return createError('UWAS_ERR_COMMANDS_USER', { problem })
}

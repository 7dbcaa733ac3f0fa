/**
 * `uwas setpassword NAME`: another password for a user who has forgotten theirs. Gets the password from the terminal,
 * without echo, or from standard input; leaves the exit code. Called by `cli.ts`.
 */
import { createError } from '../core/errors.ts'
import { createOwnTables } from '../model/own-tables.ts'
import { Accounts } from '../was/accounts/accounts.ts'
import { nameKey } from '../was/accounts/names.ts'
import { describePasswordProblem } from '../was/accounts/password-rules.ts'
import { replacePassword } from '../was/accounts/set-password.ts'
import { findAccount } from '../was/accounts/statements.ts'
import { ownDatabase } from '../was/own-database.ts'
import { createCommandLog } from './log.ts'
import { withDatabase } from './migrate.ts'
import { askTwice, readLine } from './secret.ts'
import { loadSite, type SiteFlags } from './site.ts'
import { showPath } from './site-place.ts'

export async function setPasswordCommand(name: string, flags: SiteFlags): Promise<number> {
  const log = createCommandLog()
  const config = await loadSite(flags)
  if (config.accounts === null) {
    throw refuse(`${showPath(config.file ?? config.root)} has no accounts: add the key "accounts"`)
  }
  const accounts = new Accounts(config.accounts)
  await withDatabase(config, log, async (database) => {
    await createOwnTables(database, ownDatabase(config).steps, { log })
    const key = nameKey(name)
    const row = key === undefined ? undefined : await findAccount.maybe(database, { key })
    if (row === undefined) {
      throw refuse(`there is no user ${JSON.stringify(name)}; uwas createuser makes one`)
    }
    const password = process.stdin.isTTY ? await askTwice(refuse) : await readLine(process.stdin)
    const wrong = await replacePassword(database, accounts, row, password)
    if (wrong !== null) throw refuse(`the password ${describePasswordProblem(wrong)}`)
    const blocked = row.active ? '' : '; the user is still blocked'
    log.info(`set another password for ${row.name}, whose sessions have ended${blocked}`)
  })
  return 0
}

function refuse(problem: string): Error {
  return createError('UWAS_ERR_COMMANDS_SET_PASSWORD', { problem })
}

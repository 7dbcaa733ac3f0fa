/**
 * `uwas hashpassword`: the hash of a password for `basicAuth` in a configuration. Gets the password from the terminal,
 * without echo, or from standard input; prints the hash, leaves the exit code. Called by `cli.ts`.
 */
import { createError } from '../core/errors.ts'
import { describePasswordProblem } from '../was/accounts/password-rules.ts'
import { createPasswords } from '../was/accounts/passwords.ts'
import { askTwice, readLine } from './secret.ts'

export async function hashPasswordCommand(): Promise<number> {
  const password = process.stdin.isTTY ? await askTwice(refuse) : await readLine(process.stdin)
  const passwords = createPasswords()
  const problem = passwords.problem(password)
  if (problem !== undefined) throw refuse(`it ${describePasswordProblem(problem)}`)
  process.stdout.write(`${await passwords.hash(password)}\n`)
  return 0
}

function refuse(problem: string): Error {
  return createError('UWAS_ERR_COMMANDS_PASSWORD', { problem })
}

/** Programs of others that tests run where they are installed. */
import { execFileSync } from 'node:child_process'

/** False, or why a test without the program is left out. */
export function missing(program: string, debian: string, asks = '--version'): string | false {
  try {
    execFileSync(program, [asks], { stdio: 'ignore' })
    return false
  } catch {
    return `${program} is not here: apt-get install ${debian}`
  }
}

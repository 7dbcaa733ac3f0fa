/** Tells whether the end of the terminal is to be survived, and whether there is one. Called where signals are handled. */
import { closeSync, constants, openSync, readFileSync, readlinkSync } from 'node:fs'

/** Linux proc(5), fdinfo: the access mode is the lowest two bits of `flags`, which are octal. */
const WRITE_ONLY = /^flags:\t[0-7]*[15]$/m

/**
 * True when the process was started with nohup. Node gives SIGHUP its default back before any
 * JavaScript runs, so the ignored signal itself cannot be seen any more. What can be seen is the
 * standard input that nohup (GNU coreutils) leaves in the place of a terminal: /dev/null, opened for
 * writing alone.
 */
export function isUnderNohup(): boolean {
  try {
    if (/^SigIgn:\t[\da-f]*[13579bdf]$/m.test(readFileSync('/proc/self/status', 'latin1'))) {
      return true
    }
    const info = readFileSync('/proc/self/fdinfo/0', 'latin1')
    return WRITE_ONLY.test(info) && readlinkSync('/proc/self/fd/0') === '/dev/null'
  } catch {
    return false
  }
}

/** True while the process belongs to a terminal; false once that has been closed. */
export function hasTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', constants.O_RDONLY | constants.O_NOCTTY))
    return true
  } catch {
    return false
  }
}

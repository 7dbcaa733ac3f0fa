/**
 * Which passwords a site takes: a text comes in, what is wrong with it leaves (NIST SP 800-63B section 3.1.1:
 * length and a list of what everybody chooses, no rules about kinds of characters). Called when a password is
 * chosen, never when one is checked.
 */
import { COMMON_PASSWORDS, COMMON_WORDS } from './common-passwords.ts'
import { fold } from './fold.ts'
import { nameKey } from './names.ts'

/** In Unicode code points, after NFKC: room for a sentence. A longer one would cost without being better. */
export const MAX_PASSWORD_LENGTH = 256

/** The first thing that is wrong with a password that somebody chooses; lengths in characters. */
export type PasswordProblem =
  | { readonly kind: 'short'; readonly least: number }
  | { readonly kind: 'long'; readonly most: number }
  /** Characters that no keyboard gives, or that Unicode has not assigned yet: it could not be typed again. */
  | { readonly kind: 'characters' }
  /** Among the first that anybody would try. */
  | { readonly kind: 'common' }
  /** The user's own name, or little more. */
  | { readonly kind: 'name' }

/** What is wrong with `password` for the user who is called by one of `names`; undefined when it is fine. */
export function passwordProblem(
  password: string,
  names: readonly string[],
  least: number,
): PasswordProblem | undefined {
  const normal = normalizePassword(password)
  if (normal === undefined) {
    const isLong = password.length > MAX_PASSWORD_LENGTH
    return isLong ? { kind: 'long', most: MAX_PASSWORD_LENGTH } : { kind: 'characters' }
  }
  if ([...normal].length < least) return { kind: 'short', least }
  if (/\p{Cc}|\p{Cn}/u.test(normal)) return { kind: 'characters' }
  const folded = fold(normal)
  const keys = names.flatMap((name) => nameKey(name) ?? [])
  if (keys.some((key) => isNearly(folded, key))) return { kind: 'name' }
  return isCommon(folded) ? { kind: 'common' } : undefined
}

/** What is wrong, in English: it follows the words "the password". */
export function describePasswordProblem(problem: PasswordProblem): string {
  switch (problem.kind) {
    case 'short':
      return `has to have at least ${problem.least} characters`
    case 'long':
      return `can have at most ${problem.most} characters`
    case 'characters':
      return 'holds a character that cannot be typed again'
    case 'common':
      return 'is one of those that everybody tries first'
    case 'name':
      return 'is too near to the name'
  }
}

/**
 * The form in which it is hashed: NFKC, as two keyboards may send one character differently (SP 800-63B).
 * Undefined for what can be nobody's password: too long, or no well-formed Unicode.
 */
export function normalizePassword(password: string): string | undefined {
  // A code point is at most two units; beyond that not even normalizing is worth its time.
  if (password.length > 2 * MAX_PASSWORD_LENGTH || !password.isWellFormed()) return undefined
  const normal = password.normalize('NFKC')
  return [...normal].length > MAX_PASSWORD_LENGTH ? undefined : normal
}

/** The name itself, with anything but letters hung on, or the part of an address before the `@`. */
function isNearly(password: string, name: string): boolean {
  const [local = ''] = name.split('@')
  return [name, local].some(
    (one) => one !== '' && (password === one || bareWord(password) === bareWord(one)),
  )
}

function isCommon(password: string): boolean {
  if (COMMON_PASSWORDS.has(password)) return true
  const bare = bareWord(password)
  return (
    COMMON_WORDS.has(bare) || COMMON_WORDS.has(unmask(bare)) || isRow(password) || isPoor(password)
  )
}

/** Without digits and signs before and after: `!!summer2026` → `summer`. All of it where nothing else is. */
function bareWord(text: string): string {
  return text.replace(/^[^\p{L}]+|[^\p{L}]+$/gu, '') || text
}

const MASKS: Readonly<Record<string, string>> = {
  '0': 'o',
  '1': 'i',
  '3': 'e',
  '4': 'a',
  '5': 's',
  '7': 't',
  '@': 'a',
  $: 's',
  '!': 'i',
}

/** `p4$$w0rd` → `password`. */
function unmask(text: string): string {
  return text.replace(/[0134579@$!]/g, (sign) => MASKS[sign] ?? sign)
}

const ROWS = ['abcdefghijklmnopqrstuvwxyz', '01234567890123456789', 'qwertyuiopasdfghjklzxcvbnm']

/** Keys or letters in a row, forwards or backwards. */
function isRow(text: string): boolean {
  const backwards = [...text].reverse().join('')
  return ROWS.some((row) => row.includes(text) || row.includes(backwards))
}

/** A short piece again and again, or fewer than 16 digits: a machine is through with all of them in a day. */
function isPoor(text: string): boolean {
  return /^(.{1,4})\1+$/su.test(text) || /^\p{Nd}{1,15}$/u.test(text)
}

/**
 * Names that users log in by: what one may be, and the key by which two that look alike are the same. Called
 * when an account is made and when somebody logs in.
 */
import { fold } from './fold.ts'

/** In characters, after NFKC. */
export const MAX_NAME_LENGTH = 64
/** Beyond it nothing is looked at: a name comes from a form. */
const MAX_UNITS = 4 * MAX_NAME_LENGTH

/** The first thing that is wrong with a new name. */
export type NameProblem =
  | { readonly kind: 'empty' }
  | { readonly kind: 'long'; readonly most: number }
  /** Something besides letters, digits and `.` `_` `-` `+` `@`, or one of these at its ends. */
  | { readonly kind: 'characters' }
  /** Letters of two writing systems in one name: `pаypal` with a Cyrillic letter looks like another. */
  | { readonly kind: 'scripts' }

/** Letters with their marks, digits, and what stands inside of names and addresses (as Django has it). */
const NAME = /^[\p{L}\p{N}_](?:[\p{L}\p{M}\p{N}.@+_-]*[\p{L}\p{M}\p{N}_])?$/u
/** Drawn as nothing, or nothing but a mark upon nothing. */
const UNSEEN = /\p{Default_Ignorable_Code_Point}|\p{M}{4}/u

/** Writing systems of living languages (Unicode, UAX 31 table 5), and what is written together (UTS 39, 5.2). */
const SCRIPTS = [
  /^[\p{scx=Latn}\p{scx=Hani}\p{scx=Hira}\p{scx=Kana}]*$/u,
  /^[\p{scx=Latn}\p{scx=Hani}\p{scx=Hang}]*$/u,
  /^[\p{scx=Latn}\p{scx=Hani}\p{scx=Bopo}]*$/u,
  ...[
    ...[
      'Arab',
      'Armn',
      'Beng',
      'Cyrl',
      'Deva',
      'Ethi',
      'Geor',
      'Grek',
      'Gujr',
      'Guru',
      'Hebr',
      'Khmr',
    ],
    ...['Knda', 'Laoo', 'Mlym', 'Mymr', 'Orya', 'Sinh', 'Taml', 'Telu', 'Thaa', 'Thai', 'Tibt'],
  ].map((script) => new RegExp(`^\\p{scx=${script}}*$`, 'u')),
]

/** What is wrong with a name that somebody chooses; undefined when it is fine. */
export function nameProblem(name: string): NameProblem | undefined {
  const normal = normalizeName(name)
  if (normal === '') return { kind: 'empty' }
  if (normal === undefined || [...normal].length > MAX_NAME_LENGTH) {
    return { kind: 'long', most: MAX_NAME_LENGTH }
  }
  if (!NAME.test(normal) || UNSEEN.test(normal)) return { kind: 'characters' }
  const letters = normal.replace(/[\p{sc=Zyyy}\p{sc=Zinh}]/gu, '')
  return SCRIPTS.some((script) => script.test(letters)) ? undefined : { kind: 'scripts' }
}

/** What is wrong, in English: it follows the words "the name". */
export function describeNameProblem(problem: NameProblem): string {
  switch (problem.kind) {
    case 'empty':
      return 'is empty'
    case 'long':
      return `can have at most ${problem.most} characters`
    case 'characters':
      return 'can have letters and digits, and . _ - + @ between them'
    case 'scripts':
      return 'mixes letters of several writing systems'
  }
}

/** As it is kept and shown: NFKC, trimmed. Undefined for what is far too long to be one. */
export function normalizeName(name: string): string | undefined {
  if (name.length > MAX_UNITS || !name.isWellFormed()) return undefined
  return name.normalize('NFKC').trim()
}

/** Two names with one key are the same user. Undefined: nobody's name. */
export function nameKey(name: string): string | undefined {
  const normal = normalizeName(name)
  return normal === undefined || normal === '' || normal.includes('\0') ? undefined : fold(normal)
}

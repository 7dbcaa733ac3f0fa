/**
 * Which language a visitor reads: the cookie set by the switch, else the browser's Accept-Language,
 * else English. Views take the words from here through `page.ts`.
 */
import type { Request } from 'uwas'
import type { Dictionary } from './dictionary.ts'
import { en } from './en.ts'
import { ko } from './ko.ts'

export type Language = 'ko' | 'en'

export const DICTIONARIES: Readonly<Record<Language, Dictionary>> = { ko, en }

/** Name of each language in itself. */
export const LANGUAGE_NAMES: Readonly<Record<Language, string>> = { ko: '한국어', en: 'English' }

export const LANGUAGE_COOKIE = 'lang'

const DEFAULT_LANGUAGE: Language = 'en'

export function isLanguage(value: unknown): value is Language {
  return value === 'ko' || value === 'en'
}

export function languageOf(req: Request): Language {
  const chosen = req.cookie(LANGUAGE_COOKIE)
  return isLanguage(chosen) ? chosen : (req.acceptsLanguages('en', 'ko') ?? DEFAULT_LANGUAGE)
}

export interface Speaker {
  readonly lang: Language
  /** All words of the board in that language. */
  readonly t: Dictionary
}

export function speakerOf(req: Request): Speaker {
  const lang = languageOf(req)
  return { lang, t: DICTIONARIES[lang] }
}

/** The language that a visitor's own words are in, for `lang` on them; undefined when there is no telling. */
export function languageOfText(text: string): Language | undefined {
  if (/\p{Script=Hangul}/u.test(text)) return 'ko'
  return /\p{Script=Latin}/u.test(text) ? 'en' : undefined
}

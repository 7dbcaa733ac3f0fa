/**
 * Source text → the flat list of its tags, each with its place and what surrounds it on its line.
 * Delimiter changes are followed here. First step of `parse.ts`.
 */
import type { Delimiters } from './ast.ts'
import { shorten } from './place.ts'

/** The sigil: value, raw value, section, inverted, close, partial, parent, block, comment, delimiters. */
export type TagType = '' | '&' | '#' | '^' | '/' | '>' | '<' | '$' | '!' | '='

export interface Tag {
  readonly type: TagType
  /** Trimmed; `* x` of a dynamic name is written `*x`. */
  readonly name: string
  /** First character of the tag, and the one behind it. */
  readonly at: number
  readonly end: number
  /** Nothing but blanks between the line's start, or its end, and this tag. */
  readonly clearLeft: boolean
  readonly clearRight: boolean
  /** Where the line begins when `clearLeft`, else `at`. */
  readonly lineStart: number
  /** Where the next line begins when `clearRight`, else `end`. */
  readonly lineEnd: number
  /** In effect before this tag. */
  readonly delimiters: Delimiters
}

/** The problems that can be seen in one tag alone. */
export type ScanProblem = 'UNCLOSED_TAG' | 'DELIMITERS' | 'NAME'
export type Report = (
  problem: ScanProblem,
  at: number,
  values: () => Record<string, string>,
) => void

const SIGILS = '&#^/><$!'

export function scanTags(source: string, start: Delimiters, report: Report): Tag[] {
  const tags: Tag[] = []
  let delimiters = start
  let position = 0
  for (;;) {
    const at = source.indexOf(delimiters.open, position)
    if (at === -1) return tags
    const inner = at + delimiters.open.length
    const mark = source[inner] ?? ''
    const closing = (mark === '{' ? '}' : mark === '=' ? '=' : '') + delimiters.close
    // `{{=}}`: its own mark may not serve as the one before the closing delimiter.
    const innerEnd = source.indexOf(closing, inner + (mark === '{' || mark === '=' ? 1 : 0))
    if (innerEnd === -1) {
      report('UNCLOSED_TAG', at, () => ({
        tag: source.slice(at, at + 20).split('\n', 1)[0] ?? '',
        closing: shorten(closing),
      }))
      return tags
    }
    position = innerEnd + closing.length
    const tag = readTag(source, at, position, source.slice(inner, innerEnd), delimiters)
    tags.push(tag)
    if (tag.type === '=') delimiters = readDelimiters(tag, report) ?? delimiters
    else checkName(source, tag, report)
  }
}

function readTag(
  source: string,
  at: number,
  end: number,
  content: string,
  delimiters: Delimiters,
): Tag {
  const mark = content[0] ?? ''
  const isSigil = mark !== '' && `${SIGILS}{=`.includes(mark)
  const type = (mark === '{' ? '&' : isSigil ? mark : '') as TagType
  const name = content.slice(isSigil ? 1 : 0).trim()
  const lineStart = blanksBefore(source, at)
  const lineEnd = blanksAfter(source, end)
  return {
    type,
    name: '></'.includes(type || ' ') ? name.replace(/^\*\s+/, '*') : name,
    at,
    end,
    clearLeft: lineStart !== -1,
    clearRight: lineEnd !== -1,
    lineStart: lineStart === -1 ? at : lineStart,
    lineEnd: lineEnd === -1 ? end : lineEnd,
    delimiters,
  }
}

function readDelimiters(tag: Tag, report: Report): Delimiters | null {
  const [open, close, ...rest] = tag.name.split(/\s+/)
  if (!open || !close || rest.length > 0 || tag.name.includes('=')) {
    report('DELIMITERS', tag.at, () => ({ content: shorten(tag.name) }))
    return null
  }
  return { open, close }
}

function checkName(source: string, tag: Tag, report: Report): void {
  if (tag.type === '!' || (tag.name !== '' && !/\s/.test(tag.name))) return
  const problem = tag.name === '' ? 'has no name' : 'has white space inside its name'
  report('NAME', tag.at, () => ({ tag: shorten(source.slice(tag.at, tag.end)), problem }))
}

function blanksBefore(source: string, at: number): number {
  let from = at
  while (from > 0 && isBlank(source.charCodeAt(from - 1))) from--
  return from === 0 || source[from - 1] === '\n' ? from : -1
}

function blanksAfter(source: string, end: number): number {
  let to = end
  while (to < source.length && isBlank(source.charCodeAt(to))) to++
  if (to === source.length) return to
  if (source[to] === '\n') return to + 1
  return source.startsWith('\r\n', to) ? to + 2 : -1
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09
}

/**
 * What readers of a note see while they read: how many they are, new likes, and that somebody has written a
 * comment. Messages are JSON objects with one of the keys below; `static/js/live.js` takes them.
 */
import { notFound, type Request, rooms, type SocketHandlers } from 'uwas'
import { formatCount, formatNumber } from '../i18n/format.ts'
import { DICTIONARIES, LANGUAGE_NAMES, type Language, languageOf } from '../i18n/language.ts'
import { postById } from '../models/posts.ts'

interface LiveMessage {
  /** In the reader's own words; empty for who reads alone. */
  readonly readers?: string
  /** The number, as the reader writes it. */
  readonly likes?: string
  /** There are new ones: the page has them. */
  readonly comments?: true
}

/** A crowd that comes or goes at once is counted once. */
const COUNT_DELAY_MS = 100

const LANGUAGES = Object.keys(LANGUAGE_NAMES) as Language[]

/** Notes whose readers are about to be counted. */
const counting = new Set<number>()

export const live: SocketHandlers<{ id: number }, Language> = {
  async authenticate(req) {
    if ((await postById.maybe(req, { id: req.params.id })) === undefined) throw notFound()
    return languageOf(req)
  },
  open(socket) {
    const { id } = socket.params
    socket.join(roomOf(id, socket.data))
    tellReaders(socket.request, id)
  },
  close(socket) {
    tellReaders(socket.request, socket.params.id)
  },
}

export async function tellLikes(req: Request, id: number): Promise<void> {
  const row = await postById.maybe(req, { id })
  if (row === undefined) return
  tell(req, id, (lang) => ({ likes: formatNumber(lang, row.likeCount) }))
}

export function tellComments(req: Request, id: number): void {
  tell(req, id, () => ({ comments: true }))
}

function tellReaders(req: Pick<Request, 'services'>, id: number): void {
  if (counting.has(id)) return
  counting.add(id)
  const timer = setTimeout(() => {
    counting.delete(id)
    const count = LANGUAGES.reduce((sum, lang) => sum + rooms(req).count(roomOf(id, lang)), 0)
    tell(req, id, (lang) => ({
      readers: count > 1 ? formatCount(lang, DICTIONARIES[lang].post.readers, count) : '',
    }))
  }, COUNT_DELAY_MS)
  timer.unref()
}

/** Words and numbers differ by language, so each has a room. */
function tell(
  req: Pick<Request, 'services'>,
  id: number,
  say: (lang: Language) => LiveMessage,
): void {
  for (const lang of LANGUAGES) rooms(req).publish(roomOf(id, lang), JSON.stringify(say(lang)))
}

function roomOf(id: number, lang: Language): string {
  return `post ${id} ${lang}`
}

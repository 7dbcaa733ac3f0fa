/**
 * The list of notes, newest first, ten a page. A page that does not exist is a 404. It is nobody's own, so
 * that it is kept (`urls.ts`) until a note, comment or like is added.
 */
import { pageLinks, pageRange, type Reply, type Request } from 'uwas'
import { fill, formatNumber } from '../i18n/format.ts'
import { speakerOf } from '../i18n/language.ts'
import { countPosts, newestPosts } from '../models/posts.ts'
import { sharedPage } from '../page.ts'
import { describeCard } from './describe.ts'

const PAGE_SIZE = 10

export async function list(req: Request): Promise<Reply> {
  const speaker = speakerOf(req)
  const { lang, t } = speaker
  const range = pageRange(req, PAGE_SIZE)
  const { limit, offset } = range
  const [{ total }, posts] = await Promise.all([
    countPosts.one(req),
    newestPosts.all(req, { limit, offset }),
  ])
  const pager = pageLinks(req, range, total)
  const { number: current, pages } = pager
  const pageOf = fill(t.list.pageOf, {
    page: formatNumber(lang, current),
    pages: formatNumber(lang, pager.count ?? 1),
  })
  const reply = sharedPage(req, 'posts/list', {
    title: current === 1 ? t.list.title : `${t.list.title} (${pageOf})`,
    current: 'list',
    firstPage: current === 1,
    pageOf,
    empty: posts.length === 0,
    posts: posts.map((post) => describeCard(speaker, post)),
    pager: pages.length > 1 && pager,
  })
  return reply.header('Cache-Control', 'no-cache')
}

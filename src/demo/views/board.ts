/**
 * The list of notes, newest first, ten a page. A page that does not exist is a 404. It is nobody's own, so
 * that it is kept (`urls.ts`) until a note, comment or like is added.
 */
import { notFound, type Reply, type Request } from 'uwas'
import { fill, formatNumber } from '../i18n/format.ts'
import { type Speaker, speakerOf } from '../i18n/language.ts'
import { countPosts, newestPosts } from '../models/posts.ts'
import { sharedPage } from '../page.ts'
import { url } from '../urls.ts'
import { describeCard } from './describe.ts'
import { PAGE_SIZE, pageCount, pageNumbers, readPageNumber } from './paging.ts'

export async function list(req: Request): Promise<Reply> {
  const speaker = speakerOf(req)
  const { lang, t } = speaker
  const current = readPageNumber(req.query.get('page'))
  if (current === undefined) throw notFound()
  const [{ total }, posts] = await Promise.all([
    countPosts.one(req),
    newestPosts.all(req, { limit: PAGE_SIZE, offset: (current - 1) * PAGE_SIZE }),
  ])
  const pages = pageCount(total)
  if (current > pages) throw notFound()
  const pageOf = fill(t.list.pageOf, {
    page: formatNumber(lang, current),
    pages: formatNumber(lang, pages),
  })
  const reply = sharedPage(req, 'posts/list', {
    title: current === 1 ? t.list.title : `${t.list.title} (${pageOf})`,
    current: 'list',
    firstPage: current === 1,
    pageOf,
    empty: posts.length === 0,
    posts: posts.map((post) => describeCard(speaker, post)),
    pager: pages > 1 && describePager(speaker, current, pages),
  })
  return reply.header('Cache-Control', 'no-cache')
}

function describePager({ lang, t }: Speaker, current: number, pages: number) {
  return {
    newer: current > 1 && pageHref(current - 1),
    older: current < pages && pageHref(current + 1),
    pages: pageNumbers(current, pages).map((number) => ({
      gap: number === null,
      current: number === current,
      n: formatNumber(lang, number ?? 0),
      label: fill(t.list.page, { n: formatNumber(lang, number ?? 0) }),
      href: pageHref(number ?? 1),
    })),
  }
}

function pageHref(number: number): string {
  return number === 1 ? url('list') : `${url('list')}?page=${number}`
}

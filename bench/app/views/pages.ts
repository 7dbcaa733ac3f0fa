import { type Reply, type Request, render } from 'uwas'
import { allFortunes, authorsByIds, newestArticles } from '../models.ts'

export async function fortunes(req: Request): Promise<Reply> {
  const rows = await allFortunes.all(req)
  rows.push({ id: 0, message: 'Additional fortune added at request time.' })
  rows.sort((a, b) => (a.message < b.message ? -1 : 1))
  return render(req, 'fortunes', { rows })
}

export async function articles(req: Request): Promise<Reply> {
  const rows = await newestArticles.all(req)
  const authors = await authorsByIds.all(req, { ids: rows.map(({ authorId }) => authorId) })
  const names = new Map(authors.map(({ id, name }) => [id, name]))
  // Named one by one: Node 20 gives each `{ ...row, author }` a hidden class of its own, which costs the template, too.
  return render(req, 'articles', {
    articles: rows.map(({ id, authorId, title, summary }) => ({
      id,
      title,
      summary,
      author: names.get(authorId) ?? '',
    })),
  })
}

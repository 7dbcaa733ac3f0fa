/** What the views make of the database, for all servers on Node: values and pages, each with all its statements. */
import { cacheOf } from './cached.mjs'
import { articlesPage, escapeHtml, fortunesPage, sortFortunes } from './pages.mjs'
import { countOf, distinctIds, randomNumber } from './worlds.mjs'

const times = (count, make) => Promise.all(Array.from({ length: countOf(count) }, make))

/** `escapeText`: of the runtime's own, where it has one. */
export function dataOf(database, escapeText = escapeHtml) {
  const cached = cacheOf(database.world)
  return {
    db: () => database.world(randomNumber()),
    queries: (count) => times(count, () => database.world(randomNumber())),
    async updates(count) {
      const ids = distinctIds(countOf(count))
      const rows = await Promise.all(ids.map(database.world))
      const changed = rows.map(({ id }) => ({ id, randomNumber: randomNumber() }))
      await database.update(
        ids,
        changed.map((row) => row.randomNumber),
      )
      return changed
    },
    cachedQueries: (count) => times(count, () => cached(randomNumber())),
    fortunes: async () => fortunesPage(sortFortunes(await database.fortunes()), escapeText),
    async articles() {
      const articles = await database.articles()
      const authors = await database.authors(articles.map(({ authorId }) => authorId))
      return articlesPage(articles, authors, escapeText)
    },
  }
}

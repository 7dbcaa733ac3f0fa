import { path, urlconf } from 'uwas'
import { articles, fortunes } from './views/pages.ts'
import { json, plaintext } from './views/texts.ts'
import { cachedQueries, db, queries, updates } from './views/worlds.ts'

export const urls = urlconf(
  path('/plaintext', plaintext),
  path('/json', json),
  path('/db', db),
  path('/queries', queries),
  path('/updates', updates),
  path('/cached-queries', cachedQueries),
  path('/fortunes', fortunes),
  path('/articles', articles),
  path('/cached', fortunes, { cached: { seconds: 3600 } }),
)

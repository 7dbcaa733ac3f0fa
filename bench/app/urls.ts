import { path, urlconf } from 'uwas'
import { db, fortunes, json, plaintext, queries } from './views.ts'

export const urls = urlconf(
  path('/plaintext', plaintext),
  path('/json', json),
  path('/db', db),
  path('/queries', queries),
  path('/fortunes', fortunes),
  path('/cached', fortunes, { cached: { seconds: 3600 } }),
)

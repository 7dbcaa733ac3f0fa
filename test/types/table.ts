/** What the compiler must accept and refuse of tables. Checked by type-check.test.ts, never run. */

import type { Database } from '../../src/model/database.ts'
import { column } from '../../src/model/table/columns.ts'
import { belongsTo, hasMany, preload } from '../../src/model/table/relations.ts'
import { table } from '../../src/model/table/table.ts'
import * as pg from '../../src/model/types.ts'

/** Compiles only when both are the same type. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const same = <A, B>(_proof: Same<A, B>) => {}

const users = table('users', { id: column(pg.int, { generated: true }), name: pg.text })
const posts = table('posts', {
  id: column(pg.int, { generated: true }),
  authorId: pg.int,
  title: pg.text,
  state: column(pg.oneOf('draft', 'public'), { default: true }),
  note: pg.nullable(pg.text),
})
const settings = table(
  'settings',
  { owner: pg.text, name: pg.text, value: pg.json<{ on: boolean }>() },
  { key: ['owner', 'name'] },
)
declare const db: Database

// A row has every column; what PostgreSQL fills may be left out of an insert.
const row = await posts.get(db, { id: 1 })
same<
  typeof row,
  {
    id: number
    authorId: number
    title: string
    state: 'draft' | 'public'
    note: string | null
  }
>(true)
void posts.insert(db, { authorId: 1, title: '' })
void posts.insert(db, { authorId: 1, title: '', note: null, state: 'draft' })
// @ts-expect-error title is missing
void posts.insert(db, { authorId: 1 })
// @ts-expect-error PostgreSQL makes the id
void posts.insert(db, { authorId: 1, title: '', id: 3 })
// @ts-expect-error none of the texts
void posts.insert(db, { authorId: 1, title: '', state: 'gone' })

// Changes are of columns, not of the key.
void posts.update(db, { id: 1 }, { title: '' })
// @ts-expect-error the key stays
void posts.update(db, { id: 1 }, { id: 2 })
// @ts-expect-error no such column
void posts.update(db, { id: 1 }, { titel: '' })

// A key of two columns needs both.
void settings.get(db, { owner: '', name: '' })
// @ts-expect-error name is missing
void settings.get(db, { owner: '' })

// Relations know the rows of both sides.
const author = belongsTo('posts.author', 'authorId', users)
const written = hasMany('users.posts', posts, 'authorId')
const [full] = await preload(db, [row], { author })
same<(typeof full & object)['author'], { id: number; name: string } | null>(true)
const [person] = await preload(db, [await users.get(db, { id: 1 })], { written })
same<(typeof person & object)['written'][number]['title'], string>(true)
// @ts-expect-error users have no authorId
void preload(db, [await users.get(db, { id: 1 })], { author })

/** Schemas of what a table takes from outside, made of its columns. Used by `table.ts`; forms build on them. */
import { z } from 'zod'
import type { Changes, ColumnInfo, Columns, Insert } from './columns.ts'
import type { Target } from './sql.ts'

export interface Validators<C extends Columns, K extends keyof C> {
  /** A new row. Unknown keys are refused. */
  readonly insert: z.ZodType<Insert<C>>
  /** Changes of a row: everything may be missing. Unknown keys are refused. */
  readonly update: z.ZodType<Changes<C, K>>
}

export function validatorsOf(target: Target): { insert: z.ZodType; update: z.ZodType } {
  const settable = target.columns.filter(({ isGenerated }) => !isGenerated)
  const changeable = settable.filter((each) => !target.key.includes(each))
  return {
    insert: z.strictObject(
      Object.fromEntries(
        settable.map((each) => [
          each.key,
          each.hasDefault || each.type.nullable ? schemaOf(each).optional() : schemaOf(each),
        ]),
      ),
    ),
    update: z.strictObject(
      Object.fromEntries(changeable.map((each) => [each.key, schemaOf(each).optional()])),
    ),
  }
}

/** The column's own schema, else any value that its type can send. */
function schemaOf({ type, check }: ColumnInfo): z.ZodType {
  const schema = check ?? BY_TYPE[type.name.replace(/^nullable\((.*)\)$/, '$1')] ?? sendable(type)
  return type.nullable ? schema.nullable() : schema
}

function sendable(type: ColumnInfo['type']): z.ZodType {
  return z.unknown().superRefine((value, context) => {
    try {
      type.encode(value)
    } catch (error) {
      context.addIssue({ code: 'custom', message: (error as Error).message })
    }
  })
}

const BY_TYPE: Readonly<Record<string, z.ZodType>> = {
  int: z.int(),
  bigint: z.bigint(),
  float: z.number(),
  text: z.string().refine((value) => !value.includes('\0'), 'holds the character U+0000'),
  bool: z.boolean(),
  timestamptz: z.date(),
  date: z.iso.date(),
  uuid: z.uuid(),
}

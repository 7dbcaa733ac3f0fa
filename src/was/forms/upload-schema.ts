/** A file as a field of a form's schema: `upload({ … })`. Read by `rules.ts`. */
import * as z from 'zod'
import type { Upload } from '../upload/multipart.ts'
import { UPLOAD_TYPES } from '../upload/sniff.ts'
import { formError } from './form-error.ts'

/** What a file of a form has to be. */
export interface UploadRule {
  /** In bytes. Default: what the route's `maxBodyBytes` lets in. */
  readonly maxBytes?: number | undefined
  /** Media types that its first bytes may say (`Upload.sniffedType`): `image/png`, or `image/*`. Default: any. */
  readonly types?: readonly string[] | undefined
}

const rules = new WeakMap<object, UploadRule>()

/**
 * The schema of a file: `photo: upload({ types: ['image/jpeg'] })`, `upload().optional()`, or a list of them
 * with `z.array(upload())`. What the client says of the file does not count, its bytes do. Throws
 * UWAS_ERR_WAS_FORM for a type that is not told by its bytes.
 */
export function upload(rule: UploadRule = {}): z.ZodType<Upload, Upload> {
  for (const type of rule.types ?? []) {
    const isKnown = UPLOAD_TYPES.some((known) => fits(known, type))
    if (!isKnown) {
      throw formError(
        'upload()',
        `"${type}" cannot be told by a file's first bytes; known are ${[...new Set(UPLOAD_TYPES)].join(', ')}`,
      )
    }
  }
  const schema = z.custom<Upload>(isUpload).superRefine((file, context) => {
    const { maxBytes, types } = rule
    if (maxBytes !== undefined && file.bytes > maxBytes) {
      context.addIssue({ code: 'custom', params: { kind: 'fileTooLarge', limit: maxBytes } })
    } else if (types !== undefined && !types.some((type) => fits(file.sniffedType ?? '', type))) {
      context.addIssue({ code: 'custom', params: { kind: 'fileType', limit: types.join(', ') } })
    }
  })
  rules.set(schema, rule)
  return schema
}

/** Undefined for what is no file. */
export function uploadRuleOf(schema: object): UploadRule | undefined {
  return rules.get(schema)
}

function fits(type: string, pattern: string): boolean {
  return pattern.endsWith('/*') ? type.startsWith(pattern.slice(0, -1)) : type === pattern
}

function isUpload(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'sniffedType' in value && 'moveTo' in value
}

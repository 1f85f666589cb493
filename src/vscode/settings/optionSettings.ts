import { MODEL_OPTIONS, type OptionSpec } from '../../core/optionTable';
import { describeRange, describeType } from '../../core/parseOptions';

/** Settings in package.json, made from the table of options: `npm run manifest` writes them, a test compares them. */

export interface ManifestSetting {
  readonly type: 'string' | 'number' | 'integer';
  readonly default?: string | number;
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly pattern?: string;
  readonly patternErrorMessage?: string;
  readonly scope: 'resource' | 'machine-overridable';
  readonly order: number;
  readonly markdownDescription: string;
}

/** Options that name code or files to run or read: a folder that is not trusted may not set them. */
export const RESTRICTED = ['data', 'test', 'args', 'engine'] as const;

const SIZES = String.raw`^\s*\d+(\.\d+)?\s*[%kKmM]?\s*(,\s*\d+(\.\d+)?\s*[%kKmM]?\s*)*$`;

/** The manifest's entry for an option, and the text of its description. */
export function settingOf(
  spec: OptionSpec,
  order: number,
): { readonly setting: ManifestSetting; readonly description: string } {
  const shared = {
    scope: 'resource',
    order,
    markdownDescription: `%setting.${spec.key}%`,
  } as const;
  const unit = spec.unit === undefined ? '' : ` Unit: ${spec.unit}.`;
  const description = `${spec.about}${unit}`;
  const text = spec.default === undefined ? {} : { default: spec.default };
  switch (spec.type.kind) {
    case 'text':
      return { description, setting: { type: 'string', ...text, ...shared } };
    case 'sizes':
      return {
        description: `${description} ${sentence(describeType(spec.type))}`,
        setting: {
          type: 'string',
          ...text,
          pattern: SIZES,
          patternErrorMessage: '%setting.sizes%',
          ...shared,
        },
      };
    case 'choice':
      return {
        description,
        setting: { type: 'string', ...text, enum: spec.type.values, ...shared },
      };
    case 'number':
    case 'integer': {
      const { kind, min, max, above } = spec.type;
      return {
        description: `${description} ${sentence(describeRange(spec.type))}`,
        setting: {
          type: kind,
          ...(spec.default === undefined ? {} : { default: Number(spec.default) }),
          ...(min === undefined ? {} : { minimum: min }),
          ...(above === undefined ? {} : { exclusiveMinimum: above }),
          ...(max === undefined ? {} : { maximum: max }),
          ...shared,
        },
      };
    }
  }
}

function sentence(words: string): string {
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}.`;
}

/** Every option's setting by its full name, with descriptions by their key in package.nls.json. */
export function allSettings(): {
  readonly properties: Readonly<Record<string, ManifestSetting>>;
  readonly words: Readonly<Record<string, string>>;
} {
  const entries = MODEL_OPTIONS.map((spec, order) => ({ spec, ...settingOf(spec, order) }));
  return {
    properties: Object.fromEntries(entries.map(({ spec, setting }) => [`shrinknets.${spec.key}`, setting])),
    words: Object.fromEntries(entries.map(({ spec, description }) => [`setting.${spec.key}`, description])),
  };
}

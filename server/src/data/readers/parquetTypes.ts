/**
 * What of a Parquet column's type its values do not tell: floats, decimals, time zones. Programs that write by Arrow
 * leave Arrow's schema in the metadata, which alone knows the zone of a timestamp and which numbers are durations.
 */
import { RecordBatchReader, Type, type DataType, type Field, type Timestamp } from 'apache-arrow';
import type { FileMetaData, SchemaElement } from 'hyparquet';
import { nth } from '../../lists/nth.ts';
import { Moment } from '../jinja/moments.ts';
import { float, whole } from '../jinja/numbers.ts';
import { PythonDecimal } from '../jinja/pythonDecimal.ts';
import { duration, timeOfDay, units, zoneNamed, type Unit } from './columnValues.ts';

/** What is made of the values of a leaf. */
type Convert = (value: unknown) => unknown;
/** The same everywhere below, or by the names of children. */
export type Leaves = { convert: Convert } | { below: (name: string) => Leaves };

interface Below {
  place: Leaves;
  /** Those of the children, in order. */
  children: Leaves[];
  /** Index behind the element and all below it. */
  next: number;
}

const asIs: Convert = (value) => value;

/** Arrow's type of a child, where the file says it. */
type ChildTypes = (name: string, position: number) => DataType | undefined;

const typesIn =
  (fields: readonly Field[] | undefined): ChildTypes =>
  (name) =>
    fields?.find((field) => field.name === name)?.type as DataType | undefined;
const childOf = (type: DataType | undefined, position: number): DataType | undefined =>
  type?.children?.[position]?.type as DataType | undefined;

/** @throws Error for an Arrow schema that cannot be read, a time zone that is none */
export function leavesOf(metadata: FileMetaData): Leaves {
  const stored = metadata.key_value_metadata?.find(({ key }) => key === 'ARROW:schema')?.value;
  const fields = stored === undefined ? [] : RecordBatchReader.from(Buffer.from(stored, 'base64')).open().schema.fields;
  return below(metadata.schema, 0, undefined, typesIn(fields)).place;
}

/** Leaves below the element at `index`: lists have those of their items, maps those of their values. */
function below(
  schema: readonly SchemaElement[],
  index: number,
  own: DataType | undefined,
  types: ChildTypes = typesIn(own?.children),
): Below {
  const element = nth(schema, index);
  const { num_children: count = 0, converted_type: converted, logical_type: logical } = element;
  if (count === 0) return { place: { convert: leafOf(element, own) }, children: [], next: index + 1 };
  const isList = converted === 'LIST' || logical?.type === 'LIST';
  const isMap = converted === 'MAP' || logical?.type === 'MAP';
  const found: Below[] = [];
  const places = new Map<string, Leaves>();
  let next = index + 1;
  for (let child = 0; child < count; child += 1) {
    // Lists and maps stand around a repeated group, of the item or of key and value, which Arrow does not know.
    const entries = isMap ? childOf(own, 0) : undefined;
    const isGroup = (nth(schema, next).num_children ?? 0) === 1;
    const one = isMap
      ? below(schema, next, undefined, (_, position) => childOf(entries, position))
      : isList && isGroup
        ? below(schema, next, undefined, () => childOf(own, 0))
        : below(schema, next, isList ? childOf(own, 0) : types(nth(schema, next).name, child));
    found.push(one);
    places.set(nth(schema, next).name, one.place);
    next = one.next;
  }
  const children = found.map(({ place }) => place);
  const [item, value, ...others] = nth(found, 0).children;
  if (isList && item !== undefined && value === undefined) return { place: item, children, next };
  if (isMap && value !== undefined && others.length === 0) {
    return { place: 'convert' in value ? value : { below: () => value }, children, next };
  }
  return { place: { below: (name) => places.get(name) ?? { convert: asIs } }, children, next };
}

function leafOf(element: SchemaElement, arrow: DataType | undefined): Convert {
  const { type, converted_type: converted, logical_type: logical } = element;
  if (type === 'DOUBLE' || type === 'FLOAT' || logical?.type === 'FLOAT16') return (value) => float(value as number);
  if (isDecimal(element)) {
    const scale = element.scale ?? (logical?.type === 'DECIMAL' ? logical.scale : 0);
    return (value) => new PythonDecimal(unscaled(value as number | bigint | Uint8Array), scale);
  }
  if (logical?.type === 'TIME' || converted === 'TIME_MILLIS' || converted === 'TIME_MICROS') {
    const unit: Unit = logical?.type === 'TIME' ? logical.unit : converted === 'TIME_MILLIS' ? 'MILLIS' : 'MICROS';
    return (value) => timeOfDay(value as number | bigint, unit);
  }
  if (arrow?.typeId === Type.Duration) {
    const unit = nth(units, (arrow as Timestamp).unit);
    return (value) => duration(value as bigint, unit);
  }
  if (logical?.type === 'TIMESTAMP') {
    const named = arrow?.typeId === Type.Timestamp ? (arrow as Timestamp).timezone : undefined;
    const zone = zoneNamed(named ?? (logical.isAdjustedToUTC ? 'UTC' : null));
    return (value) => (zone === null ? value : (value as Moment).inZone(zone));
  }
  // Texts of older programs, which do not say that they are.
  if (type === 'BYTE_ARRAY') return (value) => (value instanceof Uint8Array ? utf8.decode(value) : value);
  return asIs;
}

const utf8 = new TextDecoder();

function isDecimal({ converted_type: converted, logical_type: logical }: SchemaElement): boolean {
  return converted === 'DECIMAL' || logical?.type === 'DECIMAL';
}

/** A decimal's element as one of plain numbers or bytes, which would be made floats. */
export function asStored(element: SchemaElement): SchemaElement {
  return isDecimal(element) ? { ...element, converted_type: undefined, logical_type: undefined } : element;
}

/** @param value a whole number, or its bytes, the highest first */
function unscaled(value: number | bigint | Uint8Array): bigint {
  if (!(value instanceof Uint8Array)) return BigInt(value);
  const digits = value.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  return BigInt.asIntN(8 * value.length, digits);
}

/** A row's values as templates have them. */
export function plain(value: unknown, leaves: Leaves): unknown {
  if (value === undefined || value === null) return null; // of a list or a struct too
  if (Array.isArray(value)) return value.map((item) => plain(item, leaves));
  if (!('convert' in leaves)) {
    if (typeof value !== 'object') return value;
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, plain(inner, leaves.below(name))]));
  }
  const isMap = typeof value === 'object' && !(value instanceof Uint8Array) && !(value instanceof Moment);
  if (isMap) return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, plain(inner, leaves)]));
  const made = leaves.convert(value);
  if (typeof made === 'bigint') return whole(made);
  return made instanceof Uint8Array ? Buffer.from(made).toString('base64') : made;
}

import fc from 'fast-check'

/** A `format` of JSON Schema: how texts of it are made, and what is one. */
export interface StringFormat {
  readonly arbitrary: fc.Arbitrary<string>
  readonly accepts: (text: string) => boolean
}

const instant = fc
  .date({ min: new Date('0001-01-01T00:00:00.000Z'), max: new Date('9999-12-31T23:59:59.999Z'), noInvalidDate: true })
  .map((date) => date.toISOString())

const two = (value: number): string => String(value).padStart(2, '0')
const offset = fc
  .tuple(fc.constantFrom('+', '-'), fc.nat({ max: 23 }), fc.constantFrom(0, 30, 45))
  .map(([sign, hours, minutes]) => `${sign}${two(hours)}:${two(minutes)}`)

/** A moment as most write it, and now and then as one also may: without fractions, or by another clock. */
const dateTime = fc.oneof(
  { weight: 4, arbitrary: instant },
  { weight: 1, arbitrary: instant.map((text) => `${text.slice(0, 19)}Z`) },
  { weight: 1, arbitrary: fc.tuple(instant, offset).map(([text, zone]) => text.slice(0, 19) + zone) },
)

const word = (unit: string, minLength: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...unit), minLength, maxLength: 12 })
const letters = 'abcdefghijklmnopqrstuvwxyz'

const email = fc
  .tuple(
    fc.array(word(`${letters}0123456789_+-`, 1), { minLength: 1, maxLength: 3 }),
    fc.array(word(letters, 1), { minLength: 1, maxLength: 2 }),
    word(letters, 2),
  )
  .map(([local, domain, top]) => `${local.join('.')}@${[...domain, top].join('.')}`)

const days = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

function isDate(text: string): boolean {
  const [, year, month, day] = (/^(\d{4})-(\d\d)-(\d\d)$/.exec(text) ?? []).map(Number)
  if (year === undefined || month === undefined || day === undefined) return false
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
  return day >= 1 && day <= (days[month - 1] ?? 0) && (month !== 2 || day < 29 || isLeap)
}

const isTime = (text: string): boolean =>
  /^([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?(z|[+-]([01]\d|2[0-3]):[0-5]\d)$/i.test(text)

const matching =
  (expression: RegExp) =>
  (text: string): boolean =>
    expression.test(text)

/** The formats that values are made of, by name. */
export const formats: ReadonlyMap<string, StringFormat> = new Map(
  Object.entries({
    'date-time': {
      arbitrary: dateTime,
      accepts: (text) => isDate(text.slice(0, 10)) && /t/i.test(text[10] ?? '') && isTime(text.slice(11)),
    },
    date: { arbitrary: instant.map((text) => text.slice(0, 10)), accepts: isDate },
    time: { arbitrary: dateTime.map((text) => text.slice(11)), accepts: isTime },
    uuid: { arbitrary: fc.uuid(), accepts: matching(/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i) },
    email: { arbitrary: email, accepts: matching(/^[^\s@]+@[^\s@.]+(\.[^\s@.]+)+$/) },
    uri: {
      arbitrary: fc.oneof(
        { weight: 4, arbitrary: fc.webUrl({ withQueryParameters: true, withFragments: true }) },
        { weight: 1, arbitrary: fc.uuid().map((id) => `urn:uuid:${id}`) },
      ),
      accepts: matching(/^[a-z][a-z\d+.-]*:[!#$%&'()*+,./:;=?@[\]\w~-]*$/i),
    },
    ipv4: {
      arbitrary: fc.ipV4(),
      accepts: matching(/^((25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(\.(?!$)|$)){4}$/),
    },
    ipv6: {
      arbitrary: fc.ipV6(),
      accepts: (text) => /^[\da-f:.]+$/i.test(text) && URL.canParse(`http://[${text}]`),
    },
  } satisfies Record<string, StringFormat>),
)

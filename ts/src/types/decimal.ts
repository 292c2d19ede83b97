// Arithmetic on sizes at compile time, digit by digit, so that the cost grows with the number of digits and not with the number. Numbers are
// written backwards in between: '321' is 123. A size that is not known (`number`) makes the result unknown.

type Digit = '0' | '1' | '2' | '3' | '4' | '5' | '6' | '7' | '8' | '9'
interface Ones {
  '0': []
  '1': [1]
  '2': [1, 1]
  '3': [1, 1, 1]
  '4': [1, 1, 1, 1]
  '5': [1, 1, 1, 1, 1]
  '6': [1, 1, 1, 1, 1, 1]
  '7': [1, 1, 1, 1, 1, 1, 1]
  '8': [1, 1, 1, 1, 1, 1, 1, 1]
  '9': [1, 1, 1, 1, 1, 1, 1, 1, 1]
}
type Ten = [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]
interface Times {
  '0': ['00', '00', '00', '00', '00', '00', '00', '00', '00', '00']
  '1': ['00', '01', '02', '03', '04', '05', '06', '07', '08', '09']
  '2': ['00', '02', '04', '06', '08', '10', '12', '14', '16', '18']
  '3': ['00', '03', '06', '09', '12', '15', '18', '21', '24', '27']
  '4': ['00', '04', '08', '12', '16', '20', '24', '28', '32', '36']
  '5': ['00', '05', '10', '15', '20', '25', '30', '35', '40', '45']
  '6': ['00', '06', '12', '18', '24', '30', '36', '42', '48', '54']
  '7': ['00', '07', '14', '21', '28', '35', '42', '49', '56', '63']
  '8': ['00', '08', '16', '24', '32', '40', '48', '56', '64', '72']
  '9': ['00', '09', '18', '27', '36', '45', '54', '63', '72', '81']
}

type Reverse<S extends string, Out extends string = ''> = S extends `${infer H}${infer T}` ? Reverse<T, `${H}${Out}`> : Out
/** Without the zeros that lead the number. */
type Trim<S extends string> = S extends '0' ? '0' : S extends `${infer H}0` ? (H extends '' ? '0' : Trim<H>) : S extends '' ? '0' : S
type ToNumber<S extends string> = Reverse<Trim<S>> extends `${infer N extends number}` ? N : never
/** Whole numbers that are written with digits alone; anything else is unknown. */
type DigitsOf<N extends number> = `${N}` extends `${string}${'.' | 'e' | '-' | 'n'}${string}` ? never : Reverse<`${N}`>
type Known<A extends number, B extends number> = number extends A
  ? false
  : number extends B
    ? false
    : [DigitsOf<A>] extends [never]
      ? false
      : [DigitsOf<B>] extends [never]
        ? false
        : true

type Carry = '0' | '1'
type DigitSum<A extends Digit, B extends Digit, C extends Digit> = `${[...Ones[A], ...Ones[B], ...Ones[C]]['length'] & number}`
type Sum<
  A extends string,
  B extends string,
  C extends Carry = '0',
  Out extends string = '',
> = A extends `${infer X extends Digit}${infer Xs}`
  ? B extends `${infer Y extends Digit}${infer Ys}`
    ? DigitSum<X, Y, C> extends `1${infer D extends Digit}`
      ? Sum<Xs, Ys, '1', `${Out}${D}`>
      : Sum<Xs, Ys, '0', `${Out}${DigitSum<X, Y, C>}`>
    : C extends '0'
      ? `${Out}${A}`
      : Sum<A, '0', C, Out>
  : B extends ''
    ? C extends '1'
      ? `${Out}1`
      : Out
    : C extends '0'
      ? `${Out}${B}`
      : Sum<'0', B, C, Out>

/** A - B where A is not less than B. */
type Difference<A extends string, B extends string, C extends Carry = '0', Out extends string = ''> = A extends `${infer X extends
  Digit}${infer Xs}`
  ? (B extends `${infer Y}${string}` ? Y : '0') extends infer Y extends Digit
    ? (B extends `${string}${infer Ys}` ? Ys : '') extends infer Ys extends string
      ? Ones[X] extends [...Ones[Y], ...Ones[C], ...infer Left]
        ? Difference<Xs, Ys, '0', `${Out}${Left['length'] & number}`>
        : [...Ten, ...Ones[X]] extends [...Ones[Y], ...Ones[C], ...infer Left]
          ? Difference<Xs, Ys, '1', `${Out}${Left['length'] & number}`>
          : never
      : never
    : never
  : Trim<Out>

type Order = -1 | 0 | 1
type DigitOrder<A extends Digit, B extends Digit> = A extends B ? 0 : Ones[A] extends [...Ones[B], ...unknown[]] ? 1 : -1
type OrderOf<A extends string, B extends string, Out extends Order = 0> = A extends `${infer X extends Digit}${infer Xs}`
  ? B extends `${infer Y extends Digit}${infer Ys}`
    ? OrderOf<Xs, Ys, DigitOrder<X, Y> extends infer O extends -1 | 1 ? O : Out>
    : 1
  : B extends ''
    ? Out
    : -1

type ByDigit<A extends string, D extends number, C extends Digit = '0', Out extends string = ''> = A extends `${infer X extends
  Digit}${infer Xs}`
  ? Times[X][D & keyof Times[X]] extends `${infer Tens extends Digit}${infer Unit extends Digit}`
    ? DigitSum<Unit, C, '0'> extends `1${infer U extends Digit}`
      ? ByDigit<Xs, D, DigitSum<Tens, '1', '0'> & Digit, `${Out}${U}`>
      : ByDigit<Xs, D, Tens, `${Out}${DigitSum<Unit, C, '0'>}`>
    : never
  : C extends '0'
    ? Out
    : `${Out}${C}`
type ProductOf<A extends string, B extends string, Shift extends string = '', Out extends string = '0'> = B extends `${infer Y extends
  number}${infer Ys}`
  ? ProductOf<A, Ys, `${Shift}0`, Sum<Out, `${Shift}${ByDigit<A, Y>}`>>
  : Trim<Out>

/** How often B is in Rest: the digit, and what is left. */
type TimesIn<Rest extends string, B extends string, Count extends 1[] = []> =
  OrderOf<Rest, B> extends -1 ? [`${Count['length']}`, Rest] : TimesIn<Difference<Rest, B>, B, [...Count, 1]>
/** Long division: the digits of A from the first one. */
type Quotient<A extends string, B extends string, Rest extends string = '0', Out extends string = ''> = A extends `${infer X}${infer Xs}`
  ? TimesIn<Trim<`${X}${Rest extends '0' ? '' : Rest}`>, B> extends [infer Q extends string, infer Left extends string]
    ? Quotient<Xs, B, Left, `${Q}${Out}`>
    : never
  : { quotient: ToNumber<Out>; remainder: ToNumber<Rest> }

/** A + B */
export type Add<A extends number, B extends number> = Known<A, B> extends true ? ToNumber<Sum<DigitsOf<A>, DigitsOf<B>>> : number
/** A - B where A >= B; where it is less, never. */
export type Subtract<A extends number, B extends number> =
  Known<A, B> extends true
    ? OrderOf<DigitsOf<A>, DigitsOf<B>> extends -1
      ? never
      : ToNumber<Difference<DigitsOf<A>, DigitsOf<B>>>
    : number
/** A * B */
export type Multiply<A extends number, B extends number> = A extends 1
  ? B
  : B extends 1
    ? A
    : Known<A, B> extends true
      ? ToNumber<ProductOf<DigitsOf<A>, DigitsOf<B>>>
      : number
/** A / B: `{ quotient, remainder }`; both `number` where they are not known; never for a division by 0. */
export type Divide<A extends number, B extends number> =
  Known<A, B> extends true
    ? B extends 0
      ? never
      : Quotient<`${A}`, DigitsOf<B>>
    : { quotient: B extends 1 ? A : number; remainder: number extends B ? number : B extends 1 ? 0 : number }
/** -1, 0 or 1 as A is less than, equal to or greater than B; their union where it is not known. */
export type Compare<A extends number, B extends number> = Known<A, B> extends true ? OrderOf<DigitsOf<A>, DigitsOf<B>> : Order

/** The product of sizes: the number of elements. */
export type Product<S extends readonly unknown[], Out extends number = 1> = number extends S['length']
  ? number
  : S extends readonly [infer H extends number, ...infer T]
    ? Product<T, Multiply<Out, H>>
    : Out

/** Colours as functions of text; plain text where colour is not wanted. */
export interface Palette {
  readonly red: Paint;
  readonly green: Paint;
  readonly yellow: Paint;
  readonly blue: Paint;
  readonly cyan: Paint;
  readonly grey: Paint;
  readonly bold: Paint;
}
type Paint = (text: string) => string;

const paint =
  (wanted: boolean, open: number, close: number): Paint =>
  (text) =>
    wanted && text !== "" ? `\u001b[${open}m${text}\u001b[${close}m` : text;

export const palette = (wanted: boolean): Palette => ({
  red: paint(wanted, 31, 39),
  green: paint(wanted, 32, 39),
  yellow: paint(wanted, 33, 39),
  blue: paint(wanted, 34, 39),
  cyan: paint(wanted, 36, 39),
  grey: paint(wanted, 90, 39),
  bold: paint(wanted, 1, 22),
});

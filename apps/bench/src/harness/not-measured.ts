/** Thrown by a row that cannot be measured on this machine, with the reason for the reader. */
export class NotMeasured extends Error {
  override readonly name = "NotMeasured";
}

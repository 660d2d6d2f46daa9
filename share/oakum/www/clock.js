// Times of day in the reader's own zone.

export const two = (value) => String(value).padStart(2, "0");

/** Time of day in the reader's own zone, with the date when it is not today's. */
export function clock(milliseconds, now = Date.now()) {
  const at = new Date(milliseconds);
  const time = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
  if (at.toDateString() === new Date(now).toDateString()) return time;
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${time}`;
}

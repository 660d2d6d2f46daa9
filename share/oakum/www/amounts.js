// Amounts of memory as people read them: the same as Shown.swift does on the server.

const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
export const unknown = "–";

export function bytes(count) {
  if (!Number.isFinite(count)) return unknown;
  let value = count;
  let unit = 0;
  while (Math.abs(value) >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return unit === 0 ? `${count} B` : `${value.toFixed(1)} ${units[unit]}`;
}

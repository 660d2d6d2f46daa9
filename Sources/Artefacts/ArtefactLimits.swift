/// What an artefact may hold at most. Beyond a limit it is refused; nothing is cut short.
package struct ArtefactLimits: Hashable, Sendable {
    /// Files, folders and links, those above a name that are not listed themselves included.
    package var entries = 20_000
    /// Bytes of one file.
    package var fileBytes: Int64 = 2 << 30
    /// Bytes of all files.
    package var totalBytes: Int64 = 8 << 30
    /// Bytes out of one packed byte. Programs and texts pack by 3 to 10; gzip can reach 1032.
    package var ratio: Int64 = 100
    /// The ratio is looked at from this many unpacked bytes on: a short run of zeros is no bomb.
    package var ratioFromBytes: Int64 = 16 << 20
    /// Bytes of a path.
    package var pathBytes = 1024
    /// Names in a path.
    package var depth = 32
    /// Bytes of `manifest.json`.
    package var manifestBytes: Int64 = 8 << 20
    /// Bytes of one extended header (pax, long names of GNU tar).
    package var extendedBytes: Int64 = 64 << 10

    package init() {}

    /// What the unpacked stream may hold at most, headers included.
    var streamBytes: Int64 { totalBytes + Int64(entries) * 4096 + (1 << 20) }
}

/// Bytes for people: "1.5 GiB".
func shownBytes(_ bytes: Int64) -> String {
    let units = ["bytes", "KiB", "MiB", "GiB", "TiB"]
    var scaled = bytes
    var unit = 0
    while scaled >= 10_240, unit < units.count - 1 {
        scaled /= 1024
        unit += 1
    }
    return "\(scaled) \(units[unit])"
}

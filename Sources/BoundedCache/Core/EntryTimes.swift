/// When an entry dies, in nanoseconds of the cache's clock; `never` where nothing is set. 32 bytes, only in caches that
/// need time.
struct EntryTimes {
    static let never = Int64.max

    /// From here on it is not served any more (but perhaps after an error).
    var expires: Int64
    /// The same, moved by every use.
    var idleUntil: Int64
    /// From here on a use starts a reload.
    var refreshFrom: Int64
    /// Neighbours in the timing wheel.
    var previous: WheelLink
    var next: WheelLink
}

/// A slot, or with its top bit set the beginning of a list of the wheel; `none` stands in no list.
typealias WheelLink = UInt32

extension WheelLink {
    static let unlinked = WheelLink.max
    static let listBit: WheelLink = 1 << 31
}

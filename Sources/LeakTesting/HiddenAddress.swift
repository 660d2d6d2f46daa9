/// An address that does not look like one: in memory that is searched for holders, an address is one.
struct HiddenAddress: Hashable {
    private let word: UInt64
    private static let mask: UInt64 = 0xA5A5_A5A5_A5A5_A5A5

    init(_ address: UInt64) { word = address ^ Self.mask }

    init(of object: AnyObject) {
        word = UInt64(UInt(bitPattern: Unmanaged.passUnretained(object).toOpaque())) ^ Self.mask
    }

    /// The address itself.
    var revealed: UInt64 { word ^ Self.mask }
}

/// Hashes keys with a secret of the process, so that nobody outside can choose keys that collide.
///
/// Numbers, byte arrays and ASCII strings are mixed by multiplication to 128 bits with the halves folded (the idea of
/// wyhash, public domain); every other key, and a string that may have several spellings, goes through `Hasher`, whose
/// seed is random as well.
@usableFromInline
struct KeyHash: Sendable {
    @usableFromInline let first: UInt64
    @usableFromInline let second: UInt64

    /// Drawn once for the whole process.
    static let process: KeyHash = {
        var random = SystemRandomNumberGenerator()
        return KeyHash(first: random.next(), second: random.next())
    }()

    init(first: UInt64, second: UInt64) {
        self.first = first | 1
        self.second = second | 1
    }

    @inlinable @inline(__always)
    func hash<Key: Hashable>(_ key: Key) -> UInt64 {
        if Key.self == UInt64.self { return mix(unsafeBitCast(key, to: UInt64.self)) }
        if Key.self == Int.self { return mix(UInt64(bitPattern: Int64(unsafeBitCast(key, to: Int.self)))) }
        if Key.self == UInt32.self { return mix(UInt64(unsafeBitCast(key, to: UInt32.self))) }
        if Key.self == Int32.self { return mix(UInt64(bitPattern: Int64(unsafeBitCast(key, to: Int32.self)))) }
        if Key.self == String.self { return hash(string: unsafeBitCast(key, to: String.self)) }
        if Key.self == [UInt8].self {
            return unsafeBitCast(key, to: [UInt8].self).withUnsafeBytes { mixed($0).hash }
        }
        return hash(other: key)
    }

    @inlinable @inline(__always)
    func mix(_ value: UInt64) -> UInt64 {
        fold(fold(value ^ first, second) ^ 0x9E37_79B9_7F4A_7C15, first)
    }

    @inlinable @inline(__always)
    func fold(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let product = left.multipliedFullWidth(by: right)
        return product.high ^ product.low
    }

    @inlinable
    func hash(string: String) -> UInt64 {
        let known = string.utf8.withContiguousStorageIfAvailable { mixed(UnsafeRawBufferPointer($0)) }
        guard let known, known.isASCII else { return hash(other: string) }
        return known.hash
    }

    @usableFromInline
    func hash(other key: some Hashable) -> UInt64 {
        var hasher = Hasher()
        hasher.combine(key)
        return mix(UInt64(bitPattern: Int64(hasher.finalize())))
    }

    /// Equal strings with other spellings exist only beyond ASCII.
    @inlinable
    func mixed(_ bytes: UnsafeRawBufferPointer) -> (hash: UInt64, isASCII: Bool) {
        var state = first ^ UInt64(truncatingIfNeeded: bytes.count)
        var seen: UInt64 = 0
        var offset = 0
        while offset &+ 8 <= bytes.count {
            let word = bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            seen |= word
            state = fold(state ^ word, second)
            offset &+= 8
        }
        if offset < bytes.count {
            var word: UInt64 = 0
            var shift: UInt64 = 0
            while offset < bytes.count {
                word |= UInt64(bytes[offset]) &<< shift
                shift &+= 8
                offset &+= 1
            }
            seen |= word
            state = fold(state ^ word, second)
        }
        return (fold(state ^ 0x9E37_79B9_7F4A_7C15, first), seen & 0x8080_8080_8080_8080 == 0)
    }
}

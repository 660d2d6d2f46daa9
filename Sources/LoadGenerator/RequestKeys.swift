/// A key for one request: the same number and salt give the same text, different numbers of one salt different texts.
package struct RequestKey: Hashable, Sendable {
    package var number: UInt64
    package var salt: UInt64

    package init(number: UInt64, salt: UInt64) {
        self.number = number
        self.salt = salt
    }

    /// SplitMix64's mixing is a bijection, so no two numbers of a salt collide.
    var mixed: UInt64 {
        var random = SeededRandom(seed: salt &+ number &* 0x9e37_79b9_7f4a_7c15)
        return random.next()
    }
}

/// How a key is written. All keys of a shape but `int` are equally long, so that memory a key costs does not wander.
package enum KeyShape: String, Hashable, Sendable, CaseIterable {
    /// 16 hexadecimal digits.
    case hexadecimal = "hex"
    /// A number from 1 to 2³¹ − 1, in turn from a start that the salt decides: unique for two thousand million keys.
    case integer = "int"
    /// A version 4 UUID (RFC 9562) as far as its bits can be told.
    case uuid

    func append(_ key: RequestKey, to bytes: inout [UInt8]) {
        switch self {
        case .hexadecimal: appendHexadecimal(key.mixed, to: &bytes)
        case .integer:
            let number = ((key.salt % 1_000_000_007) &+ key.number) % 2_147_483_647 + 1
            bytes.append(contentsOf: String(number).utf8)
        case .uuid: appendUUID(key, to: &bytes)
        }
    }
}

/// Where the run's keys (`${key}`) come from.
package enum KeySource: Hashable, Sendable {
    /// So many keys in turn, the same in every run and every batch: a cache or a table of the service sees nothing new.
    case pool(Int)
    /// Never the same key twice.
    case fresh
}

/// Which keys a request has: pure, and the same for the same seed and salt.
struct KeyRing {
    private let source: KeySource
    private let poolSalt: UInt64
    private let freshSalt: UInt64

    /// - Parameter freshSalt: of never repeated keys: another one for each run against the same service.
    init(source: KeySource, seed: UInt64, freshSalt: UInt64) {
        self.source = source
        poolSalt = SeededRandom(seed: seed, part: -2).peek
        self.freshSalt = freshSalt
    }

    /// The fresh key, and `${key}`.
    /// - Parameters:
    ///   - number: never the same twice.
    ///   - turn: whose turn it is in a pool.
    func keys(number: UInt64, turn: UInt64) -> (fresh: RequestKey, key: RequestKey) {
        let fresh = RequestKey(number: number, salt: freshSalt)
        switch source {
        case .fresh: return (fresh, fresh)
        case .pool(let count): return (fresh, RequestKey(number: turn % UInt64(max(count, 1)), salt: poolSalt))
        }
    }
}

extension SeededRandom {
    /// The next number, without moving on.
    fileprivate var peek: UInt64 {
        var copy = self
        return copy.next()
    }
}

func appendHexadecimal(_ number: UInt64, digits: Int = 16, to bytes: inout [UInt8]) {
    for shift in stride(from: (digits - 1) * 4, through: 0, by: -4) {
        let digit = UInt8(truncatingIfNeeded: number >> UInt64(shift)) & 0xf
        bytes.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
    }
}

private func appendUUID(_ key: RequestKey, to bytes: inout [UInt8]) {
    // All 64 bits of the mixed key stand outside the version and variant digits, so no two keys collide.
    let high = key.mixed
    appendHexadecimal(high >> 32, digits: 8, to: &bytes)
    bytes.append(UInt8(ascii: "-"))
    appendHexadecimal(high >> 16, digits: 4, to: &bytes)
    bytes.append(contentsOf: "-4".utf8)
    appendHexadecimal(high >> 4, digits: 3, to: &bytes)
    bytes.append(contentsOf: "-8".utf8)
    appendHexadecimal(high, digits: 3, to: &bytes)
    bytes.append(UInt8(ascii: "-"))
    appendHexadecimal(key.salt ^ 0x5bd1_e995, digits: 12, to: &bytes)
}

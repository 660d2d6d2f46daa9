/// What a client shows to be recognised: 32 random bytes, as 43 characters of base64url. Never stored, never printed.
package struct SessionToken: Hashable, Sendable, CustomStringConvertible, CustomDebugStringConvertible,
    CustomReflectable
{
    package static let byteCount = 32
    package let bytes: [UInt8]

    /// `bytes` must be 32 bytes from a cryptographic source; nil otherwise.
    package init?(bytes: [UInt8]) {
        guard bytes.count == Self.byteCount else { return nil }
        self.bytes = bytes
    }

    /// The text of a token, strictly: 43 characters, no padding, no set bits beyond the last byte.
    package init?(text: some StringProtocol) {
        guard text.utf8.count == 43, let bytes = Base64URL.decode(text.utf8) else { return nil }
        self.init(bytes: bytes)
    }

    /// For the one answer that hands it out.
    package var text: String { Base64URL.encode(bytes) }
    package var description: String { "SessionToken(hidden)" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: []) }
}

/// SHA-256 of a token: what is stored and looked up. A copy of the database opens no session.
package struct SessionDigest: Hashable, Sendable {
    package let bytes: [UInt8]

    /// `bytes` must be the 32 bytes of a SHA-256; nil otherwise.
    package init?(bytes: [UInt8]) {
        guard bytes.count == 32 else { return nil }
        self.bytes = bytes
    }
}

/// How long a session lives and how many an account may have.
package struct SessionRules: Hashable, Sendable {
    /// From login, whatever happens.
    package var lifetimeSeconds: Int64
    /// The oldest session beyond this number ends when a new one starts.
    package var maximumPerAccount: Int

    package init(lifetimeSeconds: Int64 = 14 * 86_400, maximumPerAccount: Int = 20) {
        self.lifetimeSeconds = lifetimeSeconds
        self.maximumPerAccount = maximumPerAccount
    }
}

/// RFC 4648 5, without padding.
package enum Base64URL {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    package static func encode(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count * 4 + 2) / 3)
        var held = 0
        var bits = 0
        for byte in bytes {
            held = (held << 8 | Int(byte)) & 0xFFFF
            bits += 8
            while bits >= 6 {
                bits -= 6
                text.append(alphabet[held >> bits & 63])
            }
        }
        if bits > 0 { text.append(alphabet[held << (6 - bits) & 63]) }
        return String(decoding: text, as: UTF8.self)
    }

    /// nil unless `text` is exactly what `encode` gives for some bytes.
    package static func decode(_ text: some Sequence<UInt8>) -> [UInt8]? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.underestimatedCount * 3 / 4)
        var held = 0
        var bits = 0
        for character in text {
            guard let value = value(of: character) else { return nil }
            held = (held << 6 | value) & 0xFFFF
            bits += 6
            if bits >= 8 {
                bits -= 8
                bytes.append(UInt8(truncatingIfNeeded: held >> bits))
            }
        }
        guard bits < 6, held & (1 << bits - 1) == 0 else { return nil }
        return bytes
    }

    /// No search: every request of a session comes by here, and how long it takes should not tell of the token.
    private static func value(of character: UInt8) -> Int? {
        switch character {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): Int(character) - 65
        case UInt8(ascii: "a")...UInt8(ascii: "z"): Int(character) - 71
        case UInt8(ascii: "0")...UInt8(ascii: "9"): Int(character) + 4
        case UInt8(ascii: "-"): 62
        case UInt8(ascii: "_"): 63
        default: nil
        }
    }
}

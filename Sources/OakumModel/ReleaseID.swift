/// Names one release of a service: 1 to 64 letters, digits, '-', '_' or '.', the first a letter or a digit, so that it can name a
/// folder. `configured` is no release but the program as `oakum.yaml` has it.
package struct ReleaseID: Hashable, Comparable, Sendable, CustomStringConvertible {
    package static let configured = ReleaseID(trusted: "")
    package static let longest = 64

    package let text: String

    /// Nil when it cannot name a folder.
    package init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard (1...Self.longest).contains(bytes.count), let first = bytes.first, Self.isAlphanumeric(first),
            bytes.allSatisfy({ Self.isAlphanumeric($0) || "-_.".utf8.contains($0) })
        else { return nil }
        self.text = text
    }

    private init(trusted text: String) {
        self.text = text
    }

    package var isConfigured: Bool { text.isEmpty }
    /// For people.
    package var description: String { isConfigured ? "as configured" : text }

    package static func < (left: ReleaseID, right: ReleaseID) -> Bool { left.text < right.text }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }
}

extension ReleaseID: Codable {
    /// - Throws: `DecodingError` for what is neither empty nor a name.
    package init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard let id = text.isEmpty ? .configured : ReleaseID(text) else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "\(text.debugDescription) names no release"))
        }
        self = id
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
}

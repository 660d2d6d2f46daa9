package import OakumAPI
package import OakumModel

/// A token as it is kept: its digest, never its text.
package struct TokenRecord: Hashable, Sendable, Codable, Identifiable {
    package var id: String
    package var name: String
    package var role: AccessRole
    package var service: String?
    /// SHA-256 of the text, hexadecimal. The text has 135 or 256 random bits, so nobody finds it by trying, salt or not.
    package var digest: String
    package var created: WallTime
    package var expires: WallTime

    package init(
        id: String, name: String, role: AccessRole, service: String?, digest: String, created: WallTime,
        expires: WallTime
    ) {
        self.id = id
        self.name = name
        self.role = role
        self.service = service
        self.digest = digest
        self.created = created
        self.expires = expires
    }

    private enum CodingKeys: String, CodingKey {
        case id, name, role, service
        case digest = "sha256"
        case created = "created_ms"
        case expires = "expires_ms"
    }

    func summary(lastUsed: WallTime?) -> TokenSummary {
        TokenSummary(
            id: id, name: name, role: role, service: service, created: created, expires: expires, lastUsed: lastUsed)
    }
}

/// The text of tokens.
enum TokenText {
    /// A longer text is none of ours.
    static let maxBytes = 128

    /// For people and programs 256 random bits behind a prefix that scanners of leaked secrets can know. For intake 32
    /// letters and digits (135 bits), because that is what a PagerDuty routing key has.
    static func make(_ role: AccessRole, random: (Int) -> [UInt8]) -> String {
        guard role == .intake else { return "oak_" + Base64URL.encode(random(32)) }
        let alphabet = Array("abcdefghijklmnopqrstuvwxyz234567".utf8)
        return "oakin" + String(decoding: random(27).map { alphabet[Int($0 & 31)] }, as: UTF8.self)
    }

    static func digest(_ text: String) -> String {
        Hex.encode(Crypto.sha256(Array(text.utf8)))
    }
}

/// Keeps tokens. Owned by the console; `FileAccessStore` is the one it comes with.
///
/// Calls block for as long as a small file takes to be written.
package protocol AccessStore: Sendable {
    /// In the order they were added.
    func load() throws(AccessStoreError) -> [TokenRecord]
    /// Returns when it is durable. A record with the same id is replaced.
    func add(_ record: TokenRecord) throws(AccessStoreError)
    /// Returns when it is durable; false when there was none.
    func remove(_ id: String) throws(AccessStoreError) -> Bool
}

/// Tokens cannot be read or written; the text says which file and why.
package struct AccessStoreError: Error, Hashable, Sendable, CustomStringConvertible {
    package var description: String

    package init(_ description: String) {
        self.description = description
    }
}

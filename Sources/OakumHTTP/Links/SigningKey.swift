import Synchronization

/// The keys action links are signed with: the newest signs, the one before is still accepted, so that a rotation breaks
/// no link that was just sent.
///
/// A file of mode 0600 in the state folder: one key a line, 64 hexadecimal digits, the newest first, at most two.
package final class SigningKey: Sendable {
    private static let keyBytes = 32
    private static let kept = 2

    private let path: String
    private let state: Mutex<[[UInt8]]>
    private let random: @Sendable (Int) -> [UInt8]

    /// Reads the file, or makes it with a new key.
    /// - Throws: `SigningKeyError`: others may read the file, it is damaged, or it cannot be written.
    package convenience init(path: String) throws(SigningKeyError) {
        try self.init(path: path, random: Crypto.randomBytes)
    }

    init(path: String, random: @escaping @Sendable (Int) -> [UInt8]) throws(SigningKeyError) {
        self.path = path
        self.random = random
        var keys = try Self.read(path)
        if keys.isEmpty {
            keys = [random(Self.keyBytes)]
            try Self.write(keys, path)
        }
        state = Mutex(keys)
    }

    /// Those accepted, the one that signs first; never empty.
    package var keys: [[UInt8]] { state.withLock { $0 } }

    /// A new key signs from now on; links of the one before stay good, older ones do not. Twice, and all links are dead.
    package func rotate() throws(SigningKeyError) {
        let keys = Array(([random(Self.keyBytes)] + keys).prefix(Self.kept))
        try Self.write(keys, path)
        state.withLock { $0 = keys }
    }

    private static func read(_ path: String) throws(SigningKeyError) -> [[UInt8]] {
        let bytes: [UInt8]?
        do {
            bytes = try PrivateFile.read(path)
        } catch {
            throw SigningKeyError("\(error)")
        }
        guard let bytes else { return [] }
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
        let keys = lines.compactMap { Hex.decode(String($0)) }
        guard (1...kept).contains(keys.count), keys.count == lines.count, keys.allSatisfy({ $0.count == keyBytes })
        else {
            throw SigningKeyError("\(path) is damaged: delete it; links that were sent stop working")
        }
        return keys
    }

    private static func write(_ keys: [[UInt8]], _ path: String) throws(SigningKeyError) {
        do {
            try PrivateFile.replace(path, with: Array(keys.map { Hex.encode($0) + "\n" }.joined().utf8))
        } catch {
            throw SigningKeyError("the signing key cannot be kept: \(error)")
        }
    }
}

/// The signing key cannot be had; the text says which file and why.
package struct SigningKeyError: Error, Hashable, Sendable, CustomStringConvertible {
    package var description: String

    init(_ description: String) {
        self.description = description
    }
}

internal import CSodium
internal import Glibc
package import RegistrationCore

/// Randomness and hashes from libsodium. A value of this type proves that the library is initialised.
package struct Sodium: SecretSource {
    /// Safe to repeat and to call from several threads.
    package init() throws(HashingSetUpError) {
        guard sodium_init() >= 0 else { throw .libraryUnusable }
    }

    package func randomBytes(_ count: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        randombytes_buf(&bytes, count)
        return bytes
    }

    package func sha256(_ bytes: [UInt8]) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: 32)
        crypto_hash_sha256(&digest, bytes, UInt64(bytes.count))
        return digest
    }

    /// A PHC string for the password with a new salt; nil when the memory for it cannot be had.
    ///
    /// Takes `cost.memoryBytes` while it runs (mapped and given back by libsodium for each hash) and tens of milliseconds.
    func argon2id(_ password: Password, cost: HashCost) -> PasswordHash? {
        var text = [CChar](repeating: 0, count: Int(crypto_pwhash_strbytes()))
        let result = Self.withCharacters(password) { characters, count in
            crypto_pwhash_str_alg(
                &text, characters, count, UInt64(cost.passes), cost.memoryBytes, crypto_pwhash_alg_argon2id13())
        }
        guard result == 0 else { return nil }
        let phc = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        // The library writes well-formed strings; should it ever not, no hash is better than one nobody can verify.
        return try? PasswordHash(phc: phc)
    }

    /// Whether the password is the one of the hash; nil when the memory for it cannot be had. Same cost as `argon2id` with
    /// the cost the hash names, so the caller must have judged that.
    func matches(_ password: Password, _ hash: PasswordHash) -> Bool? {
        errno = 0
        let result = Self.withCharacters(password) { text, count in crypto_pwhash_str_verify(hash.phc, text, count) }
        if result == 0 { return true }
        return errno == ENOMEM ? nil : false
    }

    private static func withCharacters(_ password: Password, _ body: (UnsafePointer<CChar>, UInt64) -> Int32) -> Int32 {
        password.bytes.withUnsafeBytes { bytes in
            // An empty array may have no address, and the library wants one.
            guard let start = bytes.baseAddress else { return "".withCString { body($0, 0) } }
            return body(start.assumingMemoryBound(to: CChar.self), UInt64(bytes.count))
        }
    }
}

/// Hashing cannot be set up: the program should say so and stop.
package enum HashingSetUpError: Error, Hashable, Sendable, CustomStringConvertible {
    case libraryUnusable
    /// libsodium refuses the cost, or the memory for one hash is not there.
    case costUnusable(HashCost)
    case noThread

    package var description: String {
        switch self {
        case .libraryUnusable: "libsodium cannot be initialised"
        case .costUnusable(let cost):
            "a password hash with \(cost.memoryKiB) KiB and \(cost.passes) passes cannot be computed: "
                + "choose a memory between 8 KiB and what is free, and at least 1 pass"
        case .noThread: "no thread can be started for hashing: raise the limit on threads"
        }
    }
}

import CSodium
import Glibc

/// A secret key of minisign, in memory that is locked and wiped (sodium_malloc(3)).
///
/// Keys are made without a password or with one; with one they are encrypted by a key stream from scrypt, as minisign does.
package final class MinisignSecretKey {
    package let id: MinisignKeyID
    private let secret: UnsafeMutableRawPointer

    private static let secretBytes = 64
    // signature algorithm, key derivation, checksum algorithm; salt, operations, memory; id, key, checksum
    private static let fileBytes = 2 + 2 + 2 + 32 + 8 + 8 + keyBytes
    private static let keyBytes = 8 + secretBytes + 32

    /// What deriving the key stream costs. minisign takes the first; it needs 1 GiB for some seconds.
    package enum Cost: Sendable {
        case sensitive
        case interactive

        var operations: UInt64 { self == .sensitive ? 33_554_432 : 524_288 }
        var memory: UInt64 { self == .sensitive ? 1 << 30 : 1 << 24 }
    }

    private init(id: [UInt8], secret bytes: ArraySlice<UInt8>) throws(ArtefactError) {
        guard sodium_init() >= 0, let secret = sodium_malloc(Self.secretBytes) else {
            throw ArtefactError(
                .key, "a secret key", "no locked memory is to be had: raise the limit of locked memory (ulimit -l)")
        }
        self.id = MinisignKeyID(id)
        self.secret = secret
        UnsafeMutableRawBufferPointer(start: secret, count: Self.secretBytes).copyBytes(from: bytes)
    }

    deinit { sodium_free(secret) }

    /// A new pair of keys.
    package static func generate() throws(ArtefactError) -> MinisignSecretKey {
        guard sodium_init() >= 0 else { throw ArtefactError(.key, "a new key", "libsodium does not start") }
        var id = [UInt8](repeating: 0, count: 8)
        randombytes_buf(&id, id.count)
        var publicKey = [UInt8](repeating: 0, count: 32)
        var secret = [UInt8](repeating: 0, count: secretBytes)
        defer { sodium_memzero(&secret, secret.count) }
        crypto_sign_keypair(&publicKey, &secret)
        return try MinisignSecretKey(id: id, secret: secret[...])
    }

    /// The second half of a secret key of Ed25519 is the public key.
    package var publicKey: MinisignPublicKey {
        let bytes = UnsafeRawBufferPointer(start: secret, count: Self.secretBytes)
        return MinisignPublicKey(id: id, key: Array(bytes[32...]))
    }

    // MARK: - Its file

    /// - Parameters:
    ///   - place: the file, for errors.
    ///   - password: asked for when the key is encrypted; nil from it, or none at all: an error.
    package convenience init(
        text: [UInt8], at place: String, password: () throws(ArtefactError) -> [UInt8]?
    ) throws(ArtefactError) {
        let lines = MinisignText.lines(text)
        guard lines.count == 2 else {
            throw ArtefactError(.key, place, "no minisign secret key: it has 2 lines, here are \(lines.count)")
        }
        _ = try MinisignText.comment(lines[0], MinisignText.untrustedPrefix, at: place)
        var body = try MinisignText.base64(lines[1], bytes: Self.fileBytes, "the secret key", at: place)
        defer { sodium_memzero(&body, body.count) }
        guard body.starts(with: "Ed".utf8), body[4..<6].elementsEqual("B2".utf8) else {
            throw ArtefactError(.key, place, "a secret key of an unknown algorithm")
        }
        let isEncrypted = body[2..<4].elementsEqual("Sc".utf8)
        guard isEncrypted || body[2..<4].allSatisfy({ $0 == 0 }) else {
            throw ArtefactError(.key, place, "a secret key encrypted in an unknown way")
        }
        if isEncrypted {
            guard var password = try password() else {
                throw ArtefactError(.key, place, "the secret key is encrypted: its password is needed")
            }
            defer { sodium_memzero(&password, password.count) }
            try Self.applyStream(
                to: &body, password, operations: Self.number(body[38..<46]), memory: Self.number(body[46..<54]),
                at: place)
        }
        let checksum = body[126...]
        // Without a password minisign leaves the checksum empty.
        let isUnchecked = !isEncrypted && checksum.allSatisfy { $0 == 0 }
        guard isUnchecked || Array(checksum) == Self.checksum(body[54..<126]) else {
            throw ArtefactError(.key, place, isEncrypted ? "wrong password for this key" : "the secret key is damaged")
        }
        try self.init(id: Array(body[54..<62]), secret: body[62..<126])
    }

    /// - Parameter path: the file with the key.
    package convenience init(
        path: String, password: () throws(ArtefactError) -> [UInt8]?
    ) throws(ArtefactError) {
        var text = try SmallFile.read(path, most: 4096)
        defer { sodium_memzero(&text, text.count) }
        try self.init(text: text, at: path, password: password)
    }

    /// The file's two lines.
    /// - Parameter password: nil: not encrypted.
    package func text(password: [UInt8]?, cost: Cost = .sensitive) throws(ArtefactError) -> String {
        let secret = UnsafeRawBufferPointer(start: secret, count: Self.secretBytes)
        var body = Array("Ed".utf8) + (password == nil ? [0, 0] : Array("Sc".utf8)) + Array("B2".utf8)
        var salt = [UInt8](repeating: 0, count: 32)
        if password != nil { randombytes_buf(&salt, salt.count) }
        body += salt
        body += Self.bytes(password == nil ? 0 : cost.operations) + Self.bytes(password == nil ? 0 : cost.memory)
        body += id.bytes + secret
        body += password == nil ? [UInt8](repeating: 0, count: 32) : Self.checksum(body[54..<126])
        defer { sodium_memzero(&body, body.count) }
        if let password {
            try Self.applyStream(
                to: &body, password, operations: cost.operations, memory: cost.memory, at: "a new secret key")
        }
        let comment = password == nil ? "minisign unencrypted secret key" : "minisign encrypted secret key"
        return "\(MinisignText.untrustedPrefix)\(comment)\n\(MinisignText.base64(body))\n"
    }

    /// Writes both files, the secret one for its owner alone; neither may be there yet.
    package func write(
        secretPath: String, publicPath: String, password: [UInt8]?, cost: Cost = .sensitive
    ) throws(ArtefactError) {
        let text = try text(password: password, cost: cost)
        try SmallFile.write(publicKey.text, to: publicPath, mode: 0o644, replacing: false)
        do throws(ArtefactError) {
            try SmallFile.write(text, to: secretPath, mode: 0o600, replacing: false)
        } catch {
            unlink(publicPath)
            throw error
        }
    }

    /// BLAKE2b-256 of algorithm, id and key.
    private static func checksum(_ idAndSecret: ArraySlice<UInt8>) -> [UInt8] {
        let stream = BLAKE2bStream(length: 32)
        stream.update(Array("Ed".utf8))
        stream.update(Array(idAndSecret))
        return stream.finish()
    }

    /// Encrypts or decrypts id, key and checksum in place.
    private static func applyStream(
        to body: inout [UInt8], _ password: [UInt8], operations: UInt64, memory: UInt64, at place: String
    ) throws(ArtefactError) {
        // What minisign writes, and as much again: a key file that asks for more would only block the machine.
        guard operations <= 1 << 26, memory <= 1 << 31 else {
            throw ArtefactError(.key, place, "its encryption asks for more memory or time than is allowed")
        }
        var stream = [UInt8](repeating: 0, count: keyBytes)
        defer { sodium_memzero(&stream, stream.count) }
        let salt = Array(body[6..<38])
        let text = password.map { CChar(bitPattern: $0) }
        let derived = crypto_pwhash_scryptsalsa208sha256(
            &stream, UInt64(keyBytes), text, UInt64(text.count), salt, operations, Int(memory))
        guard derived == 0 else {
            throw ArtefactError(
                .key, place, "there is not enough memory (\(memory >> 20) MiB) to derive a key from the password")
        }
        for (index, byte) in stream.enumerated() { body[54 + index] ^= byte }
    }

    private static func number(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    private static func bytes(_ number: UInt64) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) }
    }

    // MARK: - Signing

    /// Signs a file. The same key, file and comments give the same bytes.
    package func sign(
        _ path: String, algorithm: MinisignSignature.Algorithm = .prehashed, trustedComment: String,
        untrustedComment: String = "signature from minisign secret key"
    ) throws(ArtefactError) -> MinisignSignature {
        try MinisignText.check(trustedComment, most: MinisignText.longestTrustedComment, at: "the trusted comment")
        try MinisignText.check(untrustedComment, most: MinisignText.longestComment, at: "the untrusted comment")
        let (message, _) = try SignedFile.message(path, algorithm)
        let signature = signature(of: message)
        return MinisignSignature(
            untrustedComment: untrustedComment, algorithm: algorithm, keyID: id, signature: signature,
            trustedComment: trustedComment, globalSignature: self.signature(of: signature + Array(trustedComment.utf8)))
    }

    private func signature(of message: [UInt8]) -> [UInt8] {
        var signature = [UInt8](repeating: 0, count: 64)
        crypto_sign_detached(
            &signature, nil, message, UInt64(message.count), secret.assumingMemoryBound(to: UInt8.self))
        return signature
    }
}

extension MinisignSignature {
    /// Puts it beside the file it is of, over an older one.
    package func write(to path: String) throws(ArtefactError) {
        try SmallFile.write(text, to: path, mode: 0o644, replacing: true)
    }
}

import CSodium

/// A signature file of minisign (jedisct1/minisign, src/minisign.h and src/minisign.c): an untrusted comment, the signature with
/// its key id, a trusted comment, and a signature over the signature and that comment.
package struct MinisignSignature: Hashable, Sendable {
    /// Behind the name of the signed file.
    package static let fileSuffix = ".minisig"
    /// No signature file is larger.
    package static let mostBytes: Int64 = 16 << 10

    package enum Algorithm: String, Hashable, Sendable {
        /// Ed25519 over the file itself.
        case legacy = "Ed"
        /// Ed25519 over the BLAKE2b-512 digest of the file: any size in constant memory.
        case prehashed = "ED"
    }

    package var untrustedComment: String
    package var algorithm: Algorithm
    /// Eight bytes.
    package var keyID: MinisignKeyID
    var signature: [UInt8]
    /// Signed: what it says is true when the signature is.
    package var trustedComment: String
    var globalSignature: [UInt8]

    /// - Parameter place: the file, for errors.
    package init(text: [UInt8], at place: String) throws(ArtefactError) {
        let lines = MinisignText.lines(text)
        guard lines.count == 4 else {
            throw ArtefactError(.key, place, "no minisign signature: it has 4 lines, here are \(lines.count)")
        }
        untrustedComment = try MinisignText.comment(lines[0], MinisignText.untrustedPrefix, at: place)
        let body = try MinisignText.base64(lines[1], bytes: 74, "the signature", at: place)
        guard let algorithm = Algorithm(rawValue: String(decoding: body[..<2], as: UTF8.self)) else {
            throw ArtefactError(.key, place, "a signature of an unknown algorithm: Ed and ED are known")
        }
        self.algorithm = algorithm
        keyID = MinisignKeyID(Array(body[2..<10]))
        signature = Array(body[10...])
        trustedComment = try MinisignText.comment(lines[2], MinisignText.trustedPrefix, at: place)
        globalSignature = try MinisignText.base64(
            lines[3], bytes: 64, "the signature of the trusted comment", at: place)
    }

    init(
        untrustedComment: String, algorithm: Algorithm, keyID: MinisignKeyID, signature: [UInt8],
        trustedComment: String,
        globalSignature: [UInt8]
    ) {
        self.untrustedComment = untrustedComment
        self.algorithm = algorithm
        self.keyID = keyID
        self.signature = signature
        self.trustedComment = trustedComment
        self.globalSignature = globalSignature
    }

    /// The file's four lines.
    package var text: String {
        let body = Array(algorithm.rawValue.utf8) + keyID.bytes + signature
        return """
            \(MinisignText.untrustedPrefix)\(untrustedComment)
            \(MinisignText.base64(body))
            \(MinisignText.trustedPrefix)\(trustedComment)
            \(MinisignText.base64(globalSignature))

            """
    }
}

/// Eight bytes that tell keys apart; no proof of anything.
package struct MinisignKeyID: Hashable, Sendable, CustomStringConvertible {
    let bytes: [UInt8]

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// As minisign writes it: the bytes as one little-endian number, 16 capital hexadecimal digits.
    package var description: String {
        bytes.reversed().map { ($0 < 16 ? "0" : "") + String($0, radix: 16, uppercase: true) }.joined()
    }
}

import CSodium

/// A public key of minisign: a file of two lines, or its second line alone.
package struct MinisignPublicKey: Hashable, Sendable {
    package let id: MinisignKeyID
    let key: [UInt8]

    init(id: MinisignKeyID, key: [UInt8]) {
        self.id = id
        self.key = key
    }

    /// - Parameter place: the file, for errors.
    package init(text: [UInt8], at place: String) throws(ArtefactError) {
        let lines = MinisignText.lines(text)
        guard let line = lines.last, lines.count <= 2 else {
            throw ArtefactError(.key, place, "no minisign public key: it has one or two lines, here are \(lines.count)")
        }
        if lines.count == 2 { _ = try MinisignText.comment(lines[0], MinisignText.untrustedPrefix, at: place) }
        let body = try MinisignText.base64(line, bytes: 42, "the public key", at: place)
        guard body.starts(with: "Ed".utf8) else {
            throw ArtefactError(.key, place, "a public key of an unknown algorithm")
        }
        id = MinisignKeyID(Array(body[2..<10]))
        key = Array(body[10...])
    }

    /// - Parameter argument: a file, or the key itself in base64.
    package init(argument: String) throws(ArtefactError) {
        // A key's 42 bytes in base64.
        let looksLikeKey = argument.utf8.count == 56 && argument.hasPrefix("RW")
        let text = looksLikeKey ? Array(argument.utf8) : try SmallFile.read(argument, most: 4096)
        try self.init(text: text, at: looksLikeKey ? "the public key" : argument)
    }

    /// The key in one line.
    package var base64: String { MinisignText.base64(Array("Ed".utf8) + id.bytes + key) }
    /// The file's two lines.
    package var text: String { "\(MinisignText.untrustedPrefix)minisign public key \(id)\n\(base64)\n" }
}

/// What a good signature has proven.
package struct VerifiedSignature: Hashable, Sendable {
    package var keyID: MinisignKeyID
    package var algorithm: MinisignSignature.Algorithm
    package var trustedComment: String
    /// BLAKE2b-512 of the signed file.
    package var digest: [UInt8]

    /// - Throws: `.signature` when what was unpacked is not what was verified.
    func check(_ contents: ArtefactContents, of artefact: Artefact) throws(ArtefactError) {
        guard (contents.packedDigest ?? contents.manifestDigest) == digest else {
            throw ArtefactError(
                .signature, artefact.signedFile, "it has changed since its signature was verified: verify it again")
        }
    }
}

extension MinisignPublicKey {
    /// Verifies a file against its signature, both comments and all.
    ///
    /// Prehashed ones in constant memory; for legacy ones the file has to be in memory, so it may have at most 64 MiB.
    /// - Throws: `.signature` when it is wrong, `.key` when it is by another key, `.unreadable`.
    package func verify(_ path: String, _ signature: MinisignSignature) throws(ArtefactError) -> VerifiedSignature {
        guard signature.keyID == id else {
            throw ArtefactError(
                .key, path,
                "it is signed by the key \(signature.keyID), and should be by \(id): is this the right public key?")
        }
        let (message, digest) = try SignedFile.message(path, signature.algorithm)
        guard isRight(signature.signature, for: message) else {
            throw ArtefactError(
                .signature, path, "the signature is wrong: this is not the file that was signed; do not use it")
        }
        guard isRight(signature.globalSignature, for: signature.signature + Array(signature.trustedComment.utf8)) else {
            throw ArtefactError(.signature, path, "the trusted comment was changed after signing; do not use it")
        }
        return VerifiedSignature(
            keyID: id, algorithm: signature.algorithm, trustedComment: signature.trustedComment, digest: digest)
    }

    /// The same with the signature in a file.
    package func verify(_ path: String, signatureFile: String) throws(ArtefactError) -> VerifiedSignature {
        let text = try SmallFile.read(signatureFile, most: Int(MinisignSignature.mostBytes))
        return try verify(path, try MinisignSignature(text: text, at: signatureFile))
    }

    private func isRight(_ signature: [UInt8], for message: [UInt8]) -> Bool {
        crypto_sign_verify_detached(signature, message, UInt64(message.count), key) == 0
    }
}

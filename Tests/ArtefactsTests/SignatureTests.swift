import Artefacts
import Glibc
import OakumTestKit
import Testing

/// Against minisign itself in both directions, and against whatever was changed.
@Suite(.timeLimit(.minutes(1)))
struct SignatureTests {
    private static let minisign = "/usr/bin/minisign"
    @Sendable private static func noPassword() throws(ArtefactError) -> [UInt8]? { nil }

    private func kind<Value>(_ body: () throws(ArtefactError) -> Value) -> ArtefactError.Kind? {
        do throws(ArtefactError) {
            _ = try body()
            return nil
        } catch { return error.kind }
    }

    /// A pair of keys in files, and a message of more than one read.
    private func withKeys(
        _ body: (TemporaryFolder, MinisignSecretKey, _ message: String) async throws -> Void
    ) async throws {
        try await withTemporaryFolder { folder in
            let key = try MinisignSecretKey.generate()
            try key.write(secretPath: folder.file("key"), publicPath: folder.file("key.pub"), password: nil)
            var generator = SeededGenerator(seed: 11)
            try put(generator.bytes(150_000), folder.file("message"))
            try await body(folder, key, folder.file("message"))
        }
    }

    @Test(arguments: [MinisignSignature.Algorithm.prehashed, .legacy])
    func `minisign takes our signatures`(algorithm: MinisignSignature.Algorithm) async throws {
        try await withKeys { folder, key, message in
            try key.sign(message, algorithm: algorithm, trustedComment: "release 1.4.2\tžluť").write(
                to: message + ".minisig")
            try await run(Self.minisign, "-Vm", message, "-p", folder.file("key.pub"))
            try await run(Self.minisign, "-Vm", message, "-P", key.publicKey.base64)
        }
    }

    @Test(arguments: [MinisignSignature.Algorithm.prehashed, .legacy])
    func `we take signatures of minisign`(algorithm: MinisignSignature.Algorithm) async throws {
        try await withTemporaryFolder { folder in
            let message = folder.file("message")
            try put(Array("a message".utf8), message)
            try await run(Self.minisign, "-G", "-W", "-p", folder.file("m.pub"), "-s", folder.file("m.key"))
            // A newer minisign prehashes unless told otherwise (-l), an older one the other way round (-H).
            let way = algorithm == .legacy ? "-l" : "-H"
            try await run(Self.minisign, "-S", way, "-s", folder.file("m.key"), "-m", message, "-t", "told and signed")
            let key = try MinisignPublicKey(argument: folder.file("m.pub"))
            let verified = try key.verify(message, signatureFile: message + ".minisig")
            #expect(verified.trustedComment == "told and signed")
            #expect(verified.algorithm == algorithm)
            // The same key in our hands gives the same signature: Ed25519 is deterministic.
            let secret = try MinisignSecretKey(path: folder.file("m.key"), password: Self.noPassword)
            #expect(secret.publicKey == key)
            let text = try #require(contents(message + ".minisig"))
            let theirs = try MinisignSignature(text: text, at: "theirs")
            let ours = try secret.sign(
                message, algorithm: algorithm, trustedComment: "told and signed",
                untrustedComment: theirs.untrustedComment)
            #expect(ours == theirs)
            #expect(Array(ours.text.utf8) == text)
        }
    }

    @Test func `minisign reads our keys, and signs with them`() async throws {
        try await withKeys { folder, key, message in
            try await run(Self.minisign, "-S", "-s", folder.file("key"), "-m", message)
            _ = try key.publicKey.verify(message, signatureFile: message + ".minisig")
            try await run(Self.minisign, "-R", "-s", folder.file("key"), "-p", folder.file("again.pub"))
            // Older ones leave leading zeros of the key id out of the comment.
            #expect(try MinisignPublicKey(argument: folder.file("again.pub")) == key.publicKey)
            #expect(mode(folder.file("key")) == 0o600)
        }
    }

    @Test func `an encrypted key opens with its password alone`() async throws {
        let key = try MinisignSecretKey.generate()
        let text = Array(try key.text(password: Array("a password".utf8), cost: .interactive).utf8)
        let opened = try MinisignSecretKey(text: text, at: "k") { () throws(ArtefactError) in Array("a password".utf8) }
        #expect(opened.publicKey == key.publicKey)
        #expect(
            kind { () throws(ArtefactError) in
                try MinisignSecretKey(text: text, at: "k") { () throws(ArtefactError) in Array("another".utf8) }
            } == .key)
        #expect(
            kind { () throws(ArtefactError) in try MinisignSecretKey(text: text, at: "k", password: Self.noPassword) }
                == .key)
        #expect(!text.contains("untrusted comment: minisign unencrypted".utf8))
    }

    @Test func `minisign opens our encrypted keys`() async throws {
        try await withKeys { folder, key, message in
            let text = try key.text(password: Array("a password".utf8), cost: .interactive)
            try put(Array(text.utf8), folder.file("locked"))
            try put(Array("a password\n".utf8), folder.file("password"))
            let command = "\(Self.minisign) -S -s \(folder.file("locked")) -m \(message) < \(folder.file("password"))"
            try await run("/bin/sh", "-c", command)
            _ = try key.publicKey.verify(message, signatureFile: message + ".minisig")
        }
    }

    @Test func `files of keys are made once, and never overwritten`() async throws {
        try await withKeys { folder, key, _ in
            let before = contents(folder.file("key"))
            let again = kind { () throws(ArtefactError) in
                try key.write(secretPath: folder.file("key"), publicPath: folder.file("new.pub"), password: nil)
            }
            #expect(again == .exists)
            #expect(contents(folder.file("key")) == before)
            #expect(listing(folder.path) == ["key", "key.pub", "message"])
        }
    }

    @Test func `a changed file, comment, key or signature is told`() async throws {
        try await withKeys { folder, key, message in
            let signature = try key.sign(message, trustedComment: "told")
            func verify(_ signature: MinisignSignature, by key: MinisignPublicKey) -> ArtefactError.Kind? {
                kind { () throws(ArtefactError) in try key.verify(message, signature) }
            }
            #expect(verify(signature, by: key.publicKey) == nil)
            var comment = signature
            comment.trustedComment = "toldx"
            #expect(verify(comment, by: key.publicKey) == .signature)
            var algorithm = signature
            algorithm.algorithm = .legacy
            #expect(verify(algorithm, by: key.publicKey) == .signature)
            let other = try MinisignSecretKey.generate()
            #expect(verify(signature, by: other.publicKey) == .key)
            var foreign = try other.sign(message, trustedComment: "told")
            foreign.keyID = key.id
            #expect(verify(foreign, by: key.publicKey) == .signature)
            var bytes = try #require(contents(message))
            bytes[bytes.count / 2] ^= 1
            try put(bytes, message)
            #expect(verify(signature, by: key.publicKey) == .signature)
        }
    }

    @Test func `no damage to a signature file makes it crash or pass`() async throws {
        try await withKeys { folder, key, message in
            try put([1], message)
            let text = Array(try key.sign(message, trustedComment: "told\tand signed").text.utf8)
            let good = try MinisignSignature(text: text, at: "s")
            let windows = text.flatMap { $0 == 10 ? [13, 10] : [$0] }
            #expect(try MinisignSignature(text: windows, at: "s") == good)
            try await forAll(seeds: 500) { generator in
                let damaged = generator.damaged(text)
                do throws(ArtefactError) {
                    var signature = try MinisignSignature(text: damaged, at: "s")
                    _ = try key.publicKey.verify(message, signature)
                    // Only the comment that is not signed may differ.
                    signature.untrustedComment = good.untrustedComment
                    #expect(signature == good)
                } catch {
                    #expect([.key, .signature].contains(error.kind))
                }
            }
            let secret = try #require(contents(folder.file("key")))
            try await forAll(seeds: 200) { generator in
                let damaged = generator.damaged(secret)
                _ = kind { () throws(ArtefactError) in
                    try MinisignSecretKey(text: damaged, at: "k", password: Self.noPassword)
                }
            }
        }
    }

    @Test func `what is unpacked is what was verified`() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.file("web.tar.gz")
            try put(TestRelease().tar.packed, path)
            let artefact = try Artefact(path: path)
            let key = try MinisignSecretKey.generate()
            try key.sign(path, trustedComment: "web").write(to: artefact.signatureFile)
            let verified = try key.publicKey.verify(artefact.signedFile, signatureFile: artefact.signatureFile)
            // Another release, good by itself, takes its place before it is unpacked.
            var other = TestRelease()
            other.changes = ["version": "\"1.4.3\""]
            try put(other.tar.packed, path)
            let error = #expect(throws: ArtefactError.self) {
                try artefact.unpack(into: folder.file("new"), verified: verified)
            }
            #expect(error?.kind == .signature)
            #expect(listing(folder.path) == ["web.tar.gz", "web.tar.gz.minisig"])
            try put(TestRelease().tar.packed, path)
            _ = try artefact.unpack(into: folder.file("new"), verified: verified)
            // A folder is signed by its manifest.
            let tree = try Artefact(path: folder.file("new"))
            try key.sign(tree.signedFile, trustedComment: "web").write(to: tree.signatureFile)
            let again = try key.publicKey.verify(tree.signedFile, signatureFile: tree.signatureFile)
            _ = try tree.unpack(into: folder.file("copy"), verified: again)
            #expect(listing(folder.file("copy")).contains("manifest.json.minisig"))
        }
    }
}

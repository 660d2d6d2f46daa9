import ArgumentParser
import Artefacts
import Glibc

struct ArtifactCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "artifact",
        abstract: "Makes keys, signs and verifies release artefacts, and shows what is in one.",
        discussion: """
            An artefact is a .tar.gz with a manifest.json as its first file, or a folder with the same in it; signatures are \
            those of minisign. docs/artefacts.md describes both.
            """,
        subcommands: [ArtifactKeygen.self, ArtifactSign.self, ArtifactVerify.self, ArtifactShow.self])
}

private struct ArtifactKeygen: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keygen",
        abstract: "Makes a pair of keys: one to sign with, one to verify with.",
        discussion: """
            Examples:
              oakum artifact keygen release.key release.pub
              oakum artifact keygen release.key release.pub --password-file password.txt
              oakum artifact keygen release.key release.pub --no-password

            Files that are there are never overwritten. minisign reads both. Exit codes: 0 made, 1 they cannot be written, 2 no \
            usable password.
            """)

    @Argument(help: "The secret key's file; give it to nobody.") var secret: String
    @Argument(help: "The public key's file; give it to everybody who verifies.") var publicKey: String
    @OptionGroup var password: PasswordOptions
    @Flag(help: "Do not encrypt the secret key: for machines that sign by themselves.") var noPassword = false
    @Flag(help: "Print it as JSON.") var json = false

    private struct Output: Encodable {
        var keyID: String
        var publicKey: String
        var secretFile: String
        var publicFile: String

        enum CodingKeys: String, CodingKey {
            case keyID = "key_id"
            case publicKey = "public_key"
            case secretFile = "secret_file"
            case publicFile = "public_file"
        }
    }

    func run() async throws {
        try await reportingFailures {
            try reportingArtefacts { () throws(ArtefactError) in
                let key = try MinisignSecretKey.generate()
                let text = noPassword ? nil : try password.chosen()
                try key.write(secretPath: secret, publicPath: publicKey, password: text)
                let output = Output(
                    keyID: key.id.description, publicKey: key.publicKey.base64, secretFile: secret,
                    publicFile: publicKey)
                return output
            } show: { output in
                guard !json else { return try Terminal.json(output) }
                Terminal.line("key \(output.keyID): secret in \(output.secretFile), public in \(output.publicFile)")
                Terminal.line("to verify: oakum artifact verify FILE --public-key \(output.publicKey)")
            }
        }
    }
}

private struct ArtifactSign: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sign",
        abstract: "Signs an artefact, or any file: the signature lies beside it as FILE.minisig.",
        discussion: """
            Examples:
              oakum artifact sign dist/registrar-0.1.0-linux-x86_64.tar.gz --key release.key
              oakum artifact sign dist/SHA256SUMS --key release.key --password-file password.txt
              oakum artifact sign releases/1.4.2 --key release.key

            Of a folder its manifest.json is signed, which has the checksums of everything else. The same key, file and \
            comment give the same signature. Exit codes: 0 signed, 1 not, 2 the key cannot be used.
            """)

    @Argument(help: "What to sign.") var file: String
    @Option(
        name: [.customShort("k"), .long], help: "The secret key's file, of `oakum artifact keygen` or of minisign.")
    var key: String
    @OptionGroup var password: PasswordOptions
    @Option(help: "A line that is signed too; without it the file's name.") var comment: String?
    @Option(name: [.customShort("o"), .customLong("output")], help: "The signature's file, instead of FILE.minisig.")
    var output: String?
    @Flag(help: "Print it as JSON.") var json = false

    private struct Output: Encodable {
        var keyID: String
        var signed: String
        var signature: String
        var trustedComment: String

        enum CodingKeys: String, CodingKey {
            case signed, signature
            case keyID = "key_id"
            case trustedComment = "trusted_comment"
        }
    }

    func run() async throws {
        try await reportingFailures {
            try reportingArtefacts { () throws(ArtefactError) in
                let artefact = try Artefact(path: file)
                let secret = try MinisignSecretKey(path: key) { () throws(ArtefactError) in try password.asked() }
                let name = artefact.signedFile.split(separator: "/").last.map(String.init) ?? file
                let signature = try secret.sign(artefact.signedFile, trustedComment: comment ?? "file:\(name)\thashed")
                let path = output ?? artefact.signatureFile
                try signature.write(to: path)
                return Output(
                    keyID: secret.id.description, signed: artefact.signedFile, signature: path,
                    trustedComment: signature.trustedComment)
            } show: { output in
                json
                    ? try Terminal.json(output)
                    : Terminal.line("\(output.signed) is signed by the key \(output.keyID): \(output.signature)")
            }
        }
    }
}

private struct ArtifactVerify: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Verifies the signature of an artefact, then every file in it against its manifest.",
        discussion: """
            Examples:
              oakum artifact verify registrar-0.1.0-linux-x86_64.tar.gz --public-key release.pub
              oakum artifact verify SHA256SUMS --public-key RWQ… --signature-only

            Nothing is unpacked. Exit codes: 0 both are right, 1 something cannot be read, 2 the signature or the artefact is \
            wrong: do not use it.
            """)

    @Argument(help: "The artefact, or with --signature-only any file.") var file: String
    @Option(name: [.customShort("p"), .long], help: "The public key's file, or the key itself.") var publicKey: String
    @Option(name: [.customShort("x"), .long], help: "The signature's file, instead of FILE.minisig.")
    var signature: String?
    @Flag(help: "Do not look inside: for files that are no artefacts.") var signatureOnly = false
    @Flag(help: "Print it as JSON.") var json = false

    private struct Output: Encodable {
        var keyID: String
        var algorithm: String
        var trustedComment: String
        var name: String?
        var version: String?
        var release: String?
        var files: Int?
        var bytes: Int64?

        enum CodingKeys: String, CodingKey {
            case algorithm, name, version, release, files, bytes
            case keyID = "key_id"
            case trustedComment = "trusted_comment"
        }
    }

    func run() async throws {
        try await reportingFailures {
            try reportingArtefacts { () throws(ArtefactError) in
                let artefact = try Artefact(path: file)
                let key = try MinisignPublicKey(argument: publicKey)
                let verified = try key.verify(
                    artefact.signedFile, signatureFile: signature ?? artefact.signatureFile)
                let contents = signatureOnly ? nil : try artefact.check(verified: verified)
                return Output(
                    keyID: verified.keyID.description, algorithm: verified.algorithm.rawValue,
                    trustedComment: verified.trustedComment, name: contents?.manifest.name,
                    version: contents?.manifest.version, release: contents?.manifest.release, files: contents?.files,
                    bytes: contents?.bytes)
            } show: { output in
                guard !json else { return try Terminal.json(output) }
                Terminal.line("\(file) is signed by the key \(output.keyID): \(output.trustedComment)")
                guard let name = output.name, let release = output.release, let files = output.files else { return }
                Terminal.line("\(name) \(release): \(files) files, all as the manifest says")
            }
        }
    }
}

private struct ArtifactShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Shows what an artefact says about itself.",
        discussion: """
            Examples:
              oakum artifact show registrar-0.1.0-linux-x86_64.tar.gz
              oakum artifact show registrar-0.1.0-linux-x86_64.tar.gz --check --json

            Nothing is unpacked, and no signature is looked at: `oakum artifact verify` does. Exit codes: 0 shown, 1 it cannot \
            be read, 2 it is no artefact or a wrong one.
            """)

    @Argument(help: "A .tar.gz or a folder.") var file: String
    @Flag(help: "Read all of it, and hold every file against the manifest.") var check = false
    @Flag(help: "Print the manifest as JSON.") var json = false

    func run() async throws {
        try await reportingFailures {
            try reportingArtefacts { () throws(ArtefactError) in
                let artefact = try Artefact(path: file)
                return check ? try artefact.check().manifest : try artefact.manifest()
            } show: { manifest in
                json ? try Terminal.json(manifest) : show(manifest)
            }
        }
    }

    private func show(_ manifest: Manifest) {
        Terminal.line("\(manifest.name) \(manifest.version) for \(manifest.platform)")
        let told = [
            ("release", manifest.release), ("created", manifest.created),
            ("command", manifest.command.joined(separator: " ")),
            ("needs", manifest.systemPackages.joined(separator: ", ")),
            ("migration", manifest.migration.oneWay ? "one way: it cannot be rolled back" : "none, or both ways"),
            ("bill of materials", manifest.sbom), ("files", "\(manifest.files.count)\(check ? ", all as listed" : "")"),
        ]
        for (key, value) in told { Terminal.line("  \(key): \(value)") }
        let rows = manifest.files.map { file in
            [file.path, "\(file.sizeBytes)", file.mode, manifest.buildIDs[file.path] ?? ""]
        }
        Terminal.table(["FILE", "BYTES", "MODE", "BUILD ID"], rows)
    }
}

// MARK: - Passwords

/// Where the password of a secret key comes from: a file, or the terminal. Never an argument: other users see those.
struct PasswordOptions: ParsableArguments {
    @Option(help: "A file whose first line is the secret key's password; without it the terminal asks.")
    var passwordFile: String?

    /// The password of a key that is there; nil when nobody can be asked.
    func asked() throws(ArtefactError) -> [UInt8]? {
        if let passwordFile { return try fromFile(passwordFile) }
        return fromTerminal("Password of the secret key: ")
    }

    /// A password for a new key, asked for twice.
    func chosen() throws(ArtefactError) -> [UInt8] {
        if let passwordFile { return try fromFile(passwordFile) }
        guard let first = fromTerminal("Password for the secret key: "), let again = fromTerminal("Once more: ") else {
            throw ArtefactError(
                .key, "password",
                "there is no terminal to ask: --password-file names a file, --no-password does without")
        }
        guard first == again else { throw ArtefactError(.key, "password", "the two differ: nothing was made") }
        guard !first.isEmpty else {
            throw ArtefactError(.key, "password", "it is empty: --no-password makes a key without one")
        }
        return first
    }

    private func fromFile(_ path: String) throws(ArtefactError) -> [UInt8] {
        let line = try SmallFile.read(path, most: 4096).prefix { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }
        guard !line.isEmpty else { throw ArtefactError(.key, path, "its first line is empty: no password") }
        return Array(line)
    }

    /// Without an echo. Nil when standard input is no terminal.
    private func fromTerminal(_ prompt: String) -> [UInt8]? {
        var before = termios()
        guard tcgetattr(STDIN_FILENO, &before) == 0 else { return nil }
        var silent = before
        silent.c_lflag &= ~tcflag_t(ECHO)
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent)
        defer { tcsetattr(STDIN_FILENO, TCSAFLUSH, &before) }
        Terminal.note(prompt)
        return readLine().map { Array($0.utf8) }
    }
}

/// Turns what is wrong with an artefact into a command's failure.
private func reportingArtefacts<Output>(
    _ work: () throws(ArtefactError) -> Output, show: (Output) throws -> Void
) throws {
    let output: Output
    do throws(ArtefactError) {
        output = try work()
    } catch {
        switch error.kind {
        case .unreadable, .unwritable, .diskFull, .exists: throw Failure(.failed, error.description)
        default: throw Failure(.badInput, error.description)
        }
    }
    try show(output)
}

import Glibc
import Notify
import StrictYAML

extension ResponseReader {
    enum InlineSecret {
        /// Passwords and tokens: a configuration is shown, copied and kept in version control.
        case refused
        /// URLs that are secrets only where they hold a token.
        case allowed
    }

    /// The keys under which a secret may be given.
    static func secretKeys(_ key: String) -> [String] { [key, key + "_file", key + "_env"] }

    /// A secret given as `key_file: PATH` or `key_env: NAME`; nil: by neither.
    ///
    /// - Parameter lines: it may have several lines.
    mutating func secret(
        _ key: String, in mapping: YAMLMapping, inline: InlineSecret = .refused, lines: Bool = false
    ) throws(YAMLProblem) -> Secret? {
        let given = Self.secretKeys(key).compactMap { name in mapping[name].map { (name, $0) } }
        guard let (name, value) = given.first else { return nil }
        guard given.count == 1 else {
            throw value.problem("`\(name)` and `\(given[1].0)` both give the same", hint: "keep one of them")
        }
        switch name {
        case key + "_file": return try secretFile(value, lines: lines)
        case key + "_env": return try secretVariable(value, lines: lines)
        default:
            guard inline == .allowed else {
                throw value.problem(
                    "`\(key)` is a secret and must not stand in the configuration",
                    hint: "write it to a file of mode 600 and name that: `\(key)_file: secrets/\(key)`, "
                        + "or name an environment variable: `\(key)_env: OAKUM_\(key.uppercased())`")
            }
            return Secret(try value.string())
        }
    }

    private mutating func secretFile(_ value: YAMLValue, lines: Bool) throws(YAMLProblem) -> Secret {
        let path = ConfigurationFile.absolute(try value.string(), in: folder)
        let file: SmallFile
        do throws(SmallFile.Problem) {
            file = try SmallFile.read(path, limit: 64 << 10)
        } catch {
            switch error {
            case .missing:
                throw value.problem(
                    "there is no file \(path)", hint: "write the secret into it: (umask 077; cat > \(path))")
            case .notAFile: throw value.problem("\(path) is no file")
            case .tooLarge: throw value.problem("\(path) is larger than 64 KiB: that is no secret")
            case .unreadable(let words): throw value.problem("\(path) cannot be read: \(words)")
            }
        }
        let mode = String(file.mode & 0o777, radix: 8)
        guard file.mode & 0o007 == 0 else {
            throw value.problem("everybody on this machine may use \(path) (mode \(mode))", hint: "chmod 600 \(path)")
        }
        if file.mode & 0o070 != 0 {
            warn(value, "a group may use the secret in \(path) (mode \(mode))", hint: "chmod 600 \(path)")
        }
        guard file.owner == 0 || file.owner == geteuid() else {
            throw value.problem("\(path) belongs to another user, who could change the secret", hint: "chown it")
        }
        return try checked(String(decoding: file.bytes, as: UTF8.self), value, in: path, lines: lines)
    }

    private func secretVariable(_ value: YAMLValue, lines: Bool) throws(YAMLProblem) -> Secret {
        let name = try value.string()
        let isName = name.utf8.allSatisfy { (65...90).contains($0) || (48...57).contains($0) || $0 == 95 }
        guard isName, (1...128).contains(name.utf8.count) else {
            throw value.problem(
                "\(value.name) takes the name of an environment variable, not a secret",
                hint: "A–Z, 0–9 and _, such as OAKUM_PASSWORD")
        }
        guard let text = environment[name] else {
            throw value.problem("the environment variable \(name) is not set", hint: "export it before starting oakum")
        }
        return try checked(text, value, in: "the environment variable \(name)", lines: lines)
    }

    private func checked(
        _ text: String, _ value: YAMLValue, in place: String, lines: Bool
    ) throws(YAMLProblem) -> Secret {
        var text = text
        while text.last?.isNewline ?? false { text.removeLast() }
        guard !text.isEmpty else { throw value.problem("\(place) is empty") }
        let isPlain = text.unicodeScalars.allSatisfy { scalar in
            scalar.value >= 32 && scalar.value != 127 && scalar.value != 0xFFFD
                || (lines && "\r\n\t".unicodeScalars.contains(scalar))
        }
        guard isPlain else {
            throw value.problem(
                "\(place) holds control characters or bytes that are no UTF-8",
                hint: lines ? nil : "one line, nothing else")
        }
        return Secret(text)
    }
}

/// The cost of one Argon2id hash (RFC 9106), one lane.
package struct HashCost: Hashable, Sendable {
    /// Memory of one hash while it runs, in KiB.
    package var memoryKiB: Int
    /// Passes over that memory.
    package var passes: Int

    package init(memoryKiB: Int, passes: Int) {
        self.memoryKiB = memoryKiB
        self.passes = passes
    }

    /// 19 MiB and two passes: one of the settings of equal strength OWASP's password storage sheet lists.
    package static let standard = HashCost(memoryKiB: 19 * 1024, passes: 2)
    package var memoryBytes: Int { memoryKiB * 1024 }
}

/// A password hash as a PHC string, `$argon2id$v=19$m=…,t=…,p=1$salt$tag`: the only form ever stored.
package struct PasswordHash: Hashable, Sendable, CustomStringConvertible, CustomDebugStringConvertible {
    package let phc: String
    package let cost: HashCost

    /// Reads a PHC string and refuses what is not exactly of this form. What it says must still be compared with a limit
    /// before anything is verified: a stored `m=4194304` would otherwise be a memory bomb.
    package init(phc: String) throws(PasswordHashProblem) {
        guard phc.utf8.count <= 256 else { throw .malformed }
        let fields = phc.split(separator: "$", omittingEmptySubsequences: false)
        guard fields.count == 6, fields[0].isEmpty else { throw .malformed }
        guard fields[1] == "argon2id", fields[2] == "v=19" else { throw .otherAlgorithm }
        let parameters = fields[3].split(separator: ",", omittingEmptySubsequences: false)
        guard parameters.count == 3, let memory = Self.number(parameters[0], "m="),
            let passes = Self.number(parameters[1], "t="), let lanes = Self.number(parameters[2], "p=")
        else { throw .malformed }
        guard lanes == 1 else { throw .otherAlgorithm }
        guard memory >= 8, passes >= 1 else { throw .malformed }
        // 16 bytes of salt and 32 of tag are 22 and 43 characters of base64 without padding.
        guard Self.isBase64(fields[4], characters: 22), Self.isBase64(fields[5], characters: 43) else {
            throw .malformed
        }
        self.phc = phc
        cost = HashCost(memoryKiB: memory, passes: passes)
    }

    package var description: String { "PasswordHash(hidden, m=\(cost.memoryKiB), t=\(cost.passes))" }
    package var debugDescription: String { description }

    /// Decimal without sign, leading zero or more than ten digits.
    private static func number(_ field: Substring, _ prefix: String) -> Int? {
        guard field.hasPrefix(prefix) else { return nil }
        let digits = field.utf8.dropFirst(prefix.utf8.count)
        guard (1...10).contains(digits.count), digits.allSatisfy({ (0x30...0x39).contains($0) }),
            digits.count == 1 || digits.first != 0x30
        else { return nil }
        return digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
    }

    private static func isBase64(_ field: Substring, characters: Int) -> Bool {
        field.utf8.count == characters
            && field.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                    || byte == UInt8(ascii: "+") || byte == UInt8(ascii: "/")
            }
    }
}

/// Why a stored text is not taken as a password hash.
package enum PasswordHashProblem: Error, Hashable, Sendable {
    case malformed
    /// Well-formed, but not Argon2id version 1.3 with one lane.
    case otherAlgorithm
}

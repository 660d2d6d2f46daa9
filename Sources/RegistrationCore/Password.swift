/// A password that met the policy, or one typed at a login: bytes that are never printed.
package struct Password: Hashable, Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// UTF-8 of the NFC form.
    package let bytes: [UInt8]

    fileprivate init(unchecked normalised: String) {
        bytes = Array(normalised.utf8)
    }

    package var description: String { "Password(hidden)" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: []) }
}

/// What a password must be: long enough, and nothing else. No composition rules, no trimming, no case folding
/// (NIST SP 800-63B-4; OWASP ASVS 5.0, 6.2).
package struct PasswordPolicy: Hashable, Sendable {
    /// In Unicode code points of the NFC form.
    package var minimumCodePoints: Int
    package var maximumCodePoints: Int
    /// In bytes of UTF-8 of the NFC form: what the hash has to read.
    package var maximumBytes: Int

    package init(minimumCodePoints: Int = 15, maximumCodePoints: Int = 256, maximumBytes: Int = 1024) {
        self.minimumCodePoints = minimumCodePoints
        self.maximumCodePoints = maximumCodePoints
        self.maximumBytes = maximumBytes
    }

    /// The password for a sign-up. `normalise` gives the NFC form; it comes from outside because the standard library has
    /// no public function for it.
    package func newPassword(_ text: String, normalise: (String) -> String) throws(PasswordProblem) -> Password {
        let password = try enteredPassword(text, normalise: normalise)
        guard Self.codePoints(password) >= minimumCodePoints else { throw .tooShort }
        return password
    }

    /// The password typed at a login: no minimum, since an older policy may have accepted it, but the same upper bounds.
    package func enteredPassword(_ text: String, normalise: (String) -> String) throws(PasswordProblem) -> Password {
        // ASCII is its own NFC form. Composing makes a text shorter, but never to a quarter, so one that is far too long
        // is refused without normalising it.
        guard text.utf8.count <= 4 * maximumBytes else { throw .tooLong }
        let password = Password(unchecked: text.utf8.allSatisfy { $0 < 0x80 } ? text : normalise(text))
        guard password.bytes.count <= maximumBytes, Self.codePoints(password) <= maximumCodePoints else {
            throw .tooLong
        }
        guard !password.bytes.contains(0) else { throw .nul }
        return password
    }

    /// Every byte of UTF-8 that does not continue a code point starts one.
    private static func codePoints(_ password: Password) -> Int {
        password.bytes.reduce(0) { $0 + ($1 & 0xC0 == 0x80 ? 0 : 1) }
    }
}

/// Why a password is not accepted. The raw value is the code clients see.
package enum PasswordProblem: String, Error, Hashable, Sendable, CaseIterable {
    case tooShort = "password_too_short"
    case tooLong = "password_too_long"
    /// NUL ends a text for too many programs to be part of a secret.
    case nul = "password_contains_nul"
}

import Foundation

/// Header lines of a mail: encoded, folded, one field a line.
struct MailHeaders {
    private(set) var text = ""

    /// A value of ASCII that is right as it is: addresses in brackets, tokens. Folded at blanks.
    mutating func add(_ name: String, _ value: String) {
        text += Self.folded("\(name): \(value)") + "\r\n"
    }

    /// Words of any language (RFC 2047).
    mutating func addWords(_ name: String, _ words: String) {
        add(name, Self.encodedWords(words, column: name.utf8.count + 2))
    }

    /// Names and addresses. Without a name the bare address.
    static func mailbox(name: String?, address: String) -> String {
        guard let name, !name.isEmpty else { return "<\(address)>" }
        return "\(phrase(name)) <\(address)>"
    }

    private static func phrase(_ name: String) -> String {
        guard isPlain(name) else { return encodedWords(name, column: 20) }
        let escaped = name.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
        return "\"\(escaped)\""
    }

    /// Visible ASCII and blanks, and nothing that reads as an encoded word.
    private static func isPlain(_ text: String) -> Bool {
        text.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F } && !text.contains("=?")
    }

    /// The text itself when it is plain; else encoded words of at most 75 characters, each of whole characters, with
    /// blanks between that readers leave out (RFC 2047, sections 2 and 5).
    static func encodedWords(_ text: String, column: Int) -> String {
        // A word that no line holds could not be folded.
        guard !isPlain(text) || text.split(separator: " ").contains(where: { $0.utf8.count > 70 }) else { return text }
        var words: [String] = []
        var chunk: [UInt8] = []
        // "=?utf-8?B?" and "?=" leave room for 63 of base64, so 45 bytes; the first line shares with the name.
        var limit = max(15, 45 - column)
        for scalar in text.unicodeScalars {
            let bytes = Array(String(scalar).utf8)
            if chunk.count + bytes.count > limit {
                words.append(encoded(chunk))
                chunk = []
                limit = 45
            }
            chunk += bytes
        }
        words.append(encoded(chunk))
        return words.joined(separator: " ")
    }

    private static func encoded(_ bytes: [UInt8]) -> String {
        "=?utf-8?B?\(Data(bytes).base64EncodedString())?="
    }

    /// Lines of at most 78 characters where blanks allow it (RFC 5322, section 2.1.1).
    private static func folded(_ line: String) -> String {
        var lines: [String] = []
        var current = ""
        for word in line.split(separator: " ", omittingEmptySubsequences: false) {
            if !current.isEmpty, current.utf8.count + 1 + word.utf8.count > 78, !word.isEmpty, !isBlank(current) {
                lines.append(current)
                current = " " + word
            } else {
                current += current.isEmpty && lines.isEmpty ? String(word) : " " + word
            }
        }
        return (lines + [current]).joined(separator: "\r\n")
    }

    private static func isBlank(_ text: String) -> Bool { text.allSatisfy { $0 == " " } }
}

/// Quoted-printable (RFC 2045, section 6.7): lines of at most 76 characters, ended by CRLF.
enum QuotedPrintable {
    static func encoded(_ text: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false).map(line).joined(separator: "\r\n")
    }

    private static func line(_ line: Substring) -> String {
        let bytes = Array(line.utf8)
        var result = ""
        var column = 0
        for (index, byte) in bytes.enumerated() {
            let isLast = index == bytes.count - 1
            let token = token(byte, atStart: column == 0, atEnd: isLast)
            // One place is kept for the "=" of a soft break.
            if column + token.utf8.count > (isLast ? 76 : 75) {
                result += "=\r\n"
                column = 0
            }
            let placed = column == 0 ? self.token(byte, atStart: true, atEnd: isLast) : token
            result += placed
            column += placed.utf8.count
        }
        return result
    }

    /// A blank at a line's end would get lost, "From " at its beginning changed by mailbox files, a dot doubled.
    private static func token(_ byte: UInt8, atStart: Bool, atEnd: Bool) -> String {
        let isBlank = byte == 0x20 || byte == 0x09
        let isPrintable = (0x21...0x7E).contains(byte) && byte != UInt8(ascii: "=")
        let isRisky = atStart && (byte == UInt8(ascii: "F") || byte == UInt8(ascii: "."))
        if isPrintable && !isRisky || isBlank && !atEnd { return String(UnicodeScalar(byte)) }
        let digits = String(byte, radix: 16, uppercase: true)
        return "=" + (digits.utf8.count == 1 ? "0" : "") + digits
    }
}

import CSodium

/// The lines that files of minisign are made of.
enum MinisignText {
    static let untrustedPrefix = "untrusted comment: "
    static let trustedPrefix = "trusted comment: "
    // COMMENTMAXBYTES and TRUSTEDCOMMENTMAXBYTES of minisign, less its prefix, line end and zero byte.
    static let longestComment = 1024 - 22
    static let longestTrustedComment = 8192 - 20

    /// Without their ends, `\r\n` too; an empty last one is none.
    static func lines(_ text: [UInt8]) -> [[UInt8]] {
        var lines = text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map { line in
            Array(line.last == UInt8(ascii: "\r") ? line.dropLast() : line)
        }
        while lines.last?.isEmpty == true { lines.removeLast() }
        return lines
    }

    static func comment(_ line: [UInt8], _ prefix: String, at place: String) throws(ArtefactError) -> String {
        guard line.starts(with: prefix.utf8) else {
            throw ArtefactError(.key, place, "a line that should begin with \"\(prefix)\" does not")
        }
        guard let text = String(validating: line.dropFirst(prefix.utf8.count), as: UTF8.self) else {
            throw ArtefactError(.key, place, "a comment that is not UTF-8")
        }
        try check(text, most: prefix == trustedPrefix ? longestTrustedComment : longestComment, at: place)
        return text
    }

    /// One line of characters that a terminal shows; a tab is one.
    static func check(_ comment: String, most: Int, at place: String) throws(ArtefactError) {
        guard comment.utf8.count <= most else {
            throw ArtefactError(.key, place, "a comment of \(comment.utf8.count) bytes, at most \(most)")
        }
        let isPlain = comment.unicodeScalars.allSatisfy {
            $0 == "\t" || $0.value >= 0x20 && !(0x7F...0x9F).contains($0.value)
        }
        guard isPlain else { throw ArtefactError(.key, place, "a comment with control characters") }
    }

    /// Standard base64 with padding (RFC 4648, section 4).
    static func base64(_ bytes: [UInt8]) -> String {
        let variant = sodium_base64_VARIANT_ORIGINAL
        var text = [CChar](repeating: 0, count: sodium_base64_encoded_len(bytes.count, variant))
        sodium_bin2base64(&text, text.count, bytes, bytes.count, variant)
        return String(decoding: text.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    static func base64(_ line: [UInt8], bytes count: Int, _ what: String, at place: String) throws(ArtefactError)
        -> [UInt8]
    {
        var bytes = [UInt8](repeating: 0, count: count)
        var length = 0
        let text = line.map { CChar(bitPattern: $0) }
        let result = sodium_base642bin(
            &bytes, count, text, text.count, nil, &length, nil, sodium_base64_VARIANT_ORIGINAL)
        guard result == 0, length == count else {
            throw ArtefactError(.key, place, "\(what) is not \(count) bytes in base64")
        }
        return bytes
    }
}

/// Where a value stands in an answer. Of a body the first 64 KiB are looked at, of headers 32 KiB.
package enum ValueSource: Hashable, Sendable {
    /// A string, number, `true`, `false` or `null` in a JSON body: keys and positions joined by dots, "items.0.id".
    case json(String)
    /// The first header of this name, in whatever case.
    case header(String)
    /// What stands between two texts of the body, at the first place where both are.
    case between(String, String)

    func value(headers: [UInt8], body: [UInt8]) -> [UInt8]? {
        switch self {
        case .json(let path): JSONText.word(at: path, in: body)
        case .header(let name): headerValue(name, in: headers)
        case .between(let before, let after): text(between: before, and: after, in: body)
        }
    }

    var readsHeaders: Bool {
        if case .header = self { true } else { false }
    }

    var words: String {
        switch self {
        case .json(let path): path
        case .header(let name): "header \(name)"
        case .between(let before, let after): "text between \"\(before)\" and \"\(after)\""
        }
    }
}

/// What a good answer must be, beside its status.
package struct AnswerCheck: Hashable, Sendable {
    package enum Expectation: Hashable, Sendable {
        case equals(String)
        case contains(String)
        /// It is there, whatever it is.
        case exists
    }

    package var source: ValueSource
    package var expectation: Expectation

    package init(_ source: ValueSource, _ expectation: Expectation) {
        self.source = source
        self.expectation = expectation
    }

    /// What is wrong with the answer; nil when nothing is. The value itself is not told: it may be a secret.
    func problem(headers: [UInt8], body: [UInt8]) -> String? {
        guard let value = source.value(headers: headers, body: body) else { return "the answer has no \(source.words)" }
        switch expectation {
        case .exists: return nil
        case .equals(let text): return value.elementsEqual(text.utf8) ? nil : "\(source.words) is not \"\(text)\""
        case .contains(let text):
            let isThere = text.isEmpty || value[...].firstRange(of: Array(text.utf8)) != nil
            return isThere ? nil : "\(source.words) lacks \"\(text)\""
        }
    }
}

/// A value to take from a good answer. An answer without it is a wrong answer.
package struct Extraction: Hashable, Sendable {
    package var name: String
    package var source: ValueSource
    /// True: for all later requests, which draw one of the values; false: for the rest of this run through the flow.
    package var isShared: Bool

    package init(name: String, source: ValueSource, isShared: Bool = false) {
        self.name = name
        self.source = source
        self.isShared = isShared
    }
}

private func headerValue(_ name: String, in lines: [UInt8]) -> [UInt8]? {
    let wanted = Array(name.utf8)
    for line in lines.split(separator: 0x0a) where line.count > wanted.count {
        let end = line.startIndex + wanted.count
        guard line[end] == UInt8(ascii: ":"), line[..<end].elementsEqual(wanted, by: { lower($0) == lower($1) }) else {
            continue
        }
        let value = line[(end + 1)...].drop { $0 == 0x20 || $0 == 0x09 }
        let length = value.lastIndex { $0 != 0x20 && $0 != 0x09 }.map { $0 + 1 - value.startIndex } ?? 0
        return Array(value.prefix(length))
    }
    return nil
}

private func lower(_ byte: UInt8) -> UInt8 {
    byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte
}

private func text(between before: String, and after: String, in body: [UInt8]) -> [UInt8]? {
    guard let start = body[...].firstRange(of: Array(before.utf8)),
        let end = body[start.upperBound...].firstRange(of: Array(after.utf8))
    else { return nil }
    return Array(body[start.upperBound..<end.lowerBound])
}

/// Text with variables in double braces: `{{index}}` (how many requests of its stream came before), `{{random}}` (16
/// hexadecimal digits from the seed), and any other name for a value captured from an earlier answer.
package struct TextTemplate: Hashable, Sendable {
    private enum Segment: Hashable, Sendable {
        case literal([UInt8])
        case index
        case random
        case captured(String)
    }

    private var segments: [Segment] = []

    /// Why a template cannot be read.
    package enum Failure: Error, Hashable, Sendable {
        /// A `{{` without its `}}`. Close it.
        case unclosed
        /// The name between the braces has characters other than letters, digits and `_`, or none.
        case badName(String)
    }

    package init(parsing text: String) throws(Failure) {
        var rest = Substring(text)
        while let open = rest.firstRange(ofBraces: "{{") {
            appendLiteral(rest[rest.startIndex..<open.lowerBound])
            rest = rest[open.upperBound...]
            guard let close = rest.firstRange(ofBraces: "}}") else { throw .unclosed }
            let name = String(rest[rest.startIndex..<close.lowerBound]).trimmingSpaces()
            guard !name.isEmpty, name.utf8.allSatisfy(isNameByte) else { throw .badName(name) }
            switch name {
            case "index": segments.append(.index)
            case "random": segments.append(.random)
            default: segments.append(.captured(name))
            }
            rest = rest[close.upperBound...]
        }
        appendLiteral(rest)
    }

    /// A text without variables: braces in it mean themselves.
    package init(literal: String) {
        appendLiteral(Substring(literal))
    }

    /// Names of captured values it needs.
    package var capturedNames: Set<String> {
        Set(
            segments.compactMap { segment in
                guard case .captured(let name) = segment else { return nil }
                return name
            })
    }

    /// Appends the text with its variables filled in; false, with `bytes` half written, when a captured value is
    /// missing.
    package func append(
        to bytes: inout [UInt8], index: UInt64, random: inout SeededRandom, captured: CapturedValues
    ) -> Bool {
        for segment in segments {
            switch segment {
            case .literal(let text): bytes.append(contentsOf: text)
            case .index: bytes.append(contentsOf: String(index).utf8)
            case .random: appendHexadecimal(random.next(), to: &bytes)
            case .captured(let name):
                guard let value = captured.pick(name, random: &random) else { return false }
                bytes.append(contentsOf: value)
            }
        }
        return true
    }

    private mutating func appendLiteral(_ text: Substring) {
        guard !text.isEmpty else { return }
        segments.append(.literal(Array(text.utf8)))
    }
}

/// Values taken from answers, by name: session tokens, say.
///
/// At most 10,000 a name; further values replace the oldest, so that expired tokens leave.
package struct CapturedValues: Sendable {
    package static let capacity = 10_000

    private var values: [String: [[UInt8]]] = [:]
    private var nextSlot: [String: Int] = [:]

    package init() {}

    package mutating func add(_ value: [UInt8], as name: String) {
        if values[name, default: []].count < Self.capacity {
            values[name, default: []].append(value)
            return
        }
        let slot = nextSlot[name, default: 0]
        values[name, default: []][slot] = value
        nextSlot[name] = (slot + 1) % Self.capacity
    }

    /// One of the values, each as likely as the others; nil when there is none.
    package func pick(_ name: String, random: inout SeededRandom) -> [UInt8]? {
        guard let candidates = values[name], !candidates.isEmpty else { return nil }
        return candidates[Int(random.next() % UInt64(candidates.count))]
    }

    package func count(of name: String) -> Int {
        values[name]?.count ?? 0
    }
}

private func isNameByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
        true
    default: false
    }
}

private func appendHexadecimal(_ number: UInt64, to bytes: inout [UInt8]) {
    for shift in stride(from: 60, through: 0, by: -4) {
        let digit = UInt8(truncatingIfNeeded: number >> UInt64(shift)) & 0xf
        bytes.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
    }
}

extension Substring {
    /// The first place of two equal braces; the standard library has this only with a regex engine behind it.
    fileprivate func firstRange(ofBraces pair: String) -> Range<Index>? {
        guard let brace = pair.utf8.first else { return nil }
        var place = startIndex
        while let first = utf8[place...].firstIndex(of: brace) {
            let second = utf8.index(after: first)
            guard second < endIndex else { return nil }
            if utf8[second] == brace { return first..<utf8.index(after: second) }
            place = second
        }
        return nil
    }
}

extension String {
    fileprivate func trimmingSpaces() -> String {
        guard let first = firstIndex(where: { $0 != " " }), let last = lastIndex(where: { $0 != " " }) else {
            return ""
        }
        return String(self[first...last])
    }
}

/// Text with variables.
///
/// Two ways to write them: double braces (`{{name}}`, drills) and a dollar (`${name}`, scenarios and corpora, where
/// YAML would take braces for its own). The names are the same:
///
/// - `index`: how many requests of its stream came before,
/// - `random`: 16 hexadecimal digits from the seed,
/// - `fresh`: 16 hexadecimal digits that no other request of the run has had,
/// - `key`: 16 hexadecimal digits from the run's keys: a fixed pool, used in turn, or never the same twice,
/// - any other name: a value taken from an earlier answer, or defined by the scenario.
///
/// `fresh` and `key` may be shaped: `${key:int}`, `${key:uuid}`.
package struct TextTemplate: Hashable, Sendable {
    private enum Segment: Hashable, Sendable {
        case literal([UInt8])
        case index
        case random
        case fresh(KeyShape)
        case key(KeyShape)
        case captured(String)
    }

    private var segments: [Segment] = []

    /// Why a template cannot be read.
    package enum Failure: Error, Hashable, Sendable {
        /// A `{{` without its `}}`, or a `${` without its `}`. Close it.
        case unclosed
        /// The name between the braces has characters other than letters, digits and `_`, or none.
        case badName(String)
    }

    /// Reads text with `{{name}}`.
    package init(parsing text: String) throws(Failure) {
        try self.init(text, open: "{{", close: "}}")
    }

    /// Reads text with `${name}`. `$${` stands for `${` itself.
    package init(dollars text: String) throws(Failure) {
        try self.init(text, open: "${", close: "}")
    }

    /// A text without variables: braces in it mean themselves.
    package init(literal: String) {
        appendLiteral(Array(literal.utf8)[...])
    }

    /// The value of a variable, and nothing else.
    init(variable name: String) {
        segments = [.captured(name)]
    }

    private init(_ text: String, open: String, close: String) throws(Failure) {
        let bytes = Array(text.utf8)
        let (open, close) = (Array(open.utf8), Array(close.utf8))
        var rest = bytes[...]
        while let start = rest.firstRange(of: open) {
            let isEscaped = open[0] == UInt8(ascii: "$") && rest[..<start.lowerBound].last == UInt8(ascii: "$")
            if isEscaped {
                appendLiteral(rest[..<(start.lowerBound - 1)])
                appendLiteral(rest[start])
                rest = rest[start.upperBound...]
                continue
            }
            appendLiteral(rest[..<start.lowerBound])
            rest = rest[start.upperBound...]
            guard let end = rest.firstRange(of: close) else { throw .unclosed }
            let name = String(decoding: rest[..<end.lowerBound], as: UTF8.self).trimmingSpaces()
            guard let segment = Self.segment(name) else { throw .badName(name) }
            segments.append(segment)
            rest = rest[end.upperBound...]
        }
        appendLiteral(rest)
    }

    private static func segment(_ name: String) -> Segment? {
        switch name {
        case "index": return .index
        case "random": return .random
        case "fresh": return .fresh(.hexadecimal)
        case "key": return .key(.hexadecimal)
        default: break
        }
        if let colon = name.utf8.firstIndex(of: UInt8(ascii: ":")) {
            guard let shape = KeyShape(rawValue: String(name[name.index(after: colon)...])) else { return nil }
            switch name[..<colon] {
            case "fresh": return .fresh(shape)
            case "key": return .key(shape)
            default: return nil
            }
        }
        return !name.isEmpty && name.utf8.allSatisfy(isWordByte) ? .captured(name) : nil
    }

    /// Names of values it needs from earlier answers or from the scenario.
    package var capturedNames: Set<String> {
        Set(
            segments.compactMap { segment in
                guard case .captured(let name) = segment else { return nil }
                return name
            })
    }

    /// True when it is the same text every time.
    package var isConstant: Bool {
        segments.allSatisfy { if case .literal = $0 { true } else { false } }
    }

    /// True when the text differs with the run's keys.
    package var usesKeys: Bool {
        segments.contains { segment in
            switch segment {
            case .fresh, .key: true
            default: false
            }
        }
    }

    /// Appends the text with its variables filled in; false, with `bytes` half written, when a value is missing.
    package func append(to bytes: inout [UInt8], _ inputs: inout TemplateInputs) -> Bool {
        for segment in segments {
            switch segment {
            case .literal(let text): bytes.append(contentsOf: text)
            case .index: bytes.append(contentsOf: String(inputs.index).utf8)
            case .random: appendHexadecimal(inputs.random.next(), to: &bytes)
            case .fresh(let shape): shape.append(inputs.fresh, to: &bytes)
            case .key(let shape): shape.append(inputs.key, to: &bytes)
            case .captured(let name):
                guard let value = inputs.value(of: name) else { return false }
                bytes.append(contentsOf: value)
            }
        }
        return true
    }

    /// The same with the index, the generator and captured values alone.
    package func append(
        to bytes: inout [UInt8], index: UInt64, random: inout SeededRandom, captured: CapturedValues
    ) -> Bool {
        var inputs = TemplateInputs(index: index, random: random, captured: captured)
        defer { random = inputs.random }
        return append(to: &bytes, &inputs)
    }

    private mutating func appendLiteral(_ text: ArraySlice<UInt8>) {
        guard !text.isEmpty else { return }
        if case .literal(let before) = segments.last {
            segments[segments.count - 1] = .literal(before + text)
        } else {
            segments.append(.literal(Array(text)))
        }
    }
}

/// What fills the variables of one request.
package struct TemplateInputs: Sendable {
    package var index: UInt64
    package var random: SeededRandom
    /// A key that no other request has.
    package var fresh: RequestKey
    /// A key of the run's choice.
    package var key: RequestKey
    package var captured: CapturedValues
    /// Values of this run through a flow; they come before `captured`.
    package var local: [FlowValue]

    package init(
        index: UInt64, random: SeededRandom, fresh: RequestKey = RequestKey(number: 0, salt: 0),
        key: RequestKey = RequestKey(number: 0, salt: 0), captured: CapturedValues = CapturedValues(),
        local: [FlowValue] = []
    ) {
        self.index = index
        self.random = random
        self.fresh = fresh
        self.key = key
        self.captured = captured
        self.local = local
    }

    fileprivate mutating func value(of name: String) -> [UInt8]? {
        if let own = local.last(where: { $0.name == name }) { return own.value }
        return captured.pick(name, random: &random)
    }
}

/// A value that one run through a flow has taken from an answer, or drawn at its start.
package struct FlowValue: Hashable, Sendable {
    package var name: String
    package var value: [UInt8]

    package init(name: String, value: [UInt8]) {
        self.name = name
        self.value = value
    }
}

extension ArraySlice<UInt8> {
    /// The first place of a short text.
    func firstRange(of text: [UInt8]) -> Range<Int>? {
        guard let first = text.first else { return nil }
        var place = startIndex
        while let found = self[place...].firstIndex(of: first) {
            let end = found + text.count
            guard end <= endIndex else { return nil }
            if self[found..<end].elementsEqual(text) { return found..<end }
            place = found + 1
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

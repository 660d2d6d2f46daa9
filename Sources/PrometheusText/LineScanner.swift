/// Reads one sample line, byte by byte; never fails in any way but by returning `nil`.
struct LineScanner {
    private let bytes: ArraySlice<UInt8>
    private var position: Int

    init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        position = bytes.startIndex
    }

    /// The next byte, or `nil` at the end of the line.
    var peek: UInt8? { position < bytes.endIndex ? bytes[position] : nil }

    /// Moves past blanks, tabs and the carriage return of a foreign line end.
    mutating func skipBlanks() {
        while let byte = peek, byte == Byte.space || byte == Byte.tab || byte == Byte.carriageReturn {
            position += 1
        }
    }

    /// Name, labels in braces, value, and an optional timestamp or exemplar that is dropped.
    mutating func sample(maximumLabels: Int) -> PrometheusSample? {
        guard let name = identifier(allowColon: true) else { return nil }
        let hadBlank = isAtBlank
        skipBlanks()
        var labels: [String: String] = [:]
        if peek == Byte.openBrace {
            guard let read = labelSet(maximum: maximumLabels) else { return nil }
            labels = read
            skipBlanks()
        } else if !hadBlank {
            return nil
        }
        guard let value = number() else { return nil }
        skipBlanks()
        if let next = peek, next != Byte.hash {
            guard number() != nil else { return nil }
            skipBlanks()
            guard peek == nil || peek == Byte.hash else { return nil }
        }
        return PrometheusSample(name: name, labels: labels, value: value)
    }

    private var isAtBlank: Bool { peek == Byte.space || peek == Byte.tab }

    private mutating func identifier(allowColon: Bool) -> String? {
        let start = position
        while let byte = peek, Byte.isNamePart(byte, first: position == start, allowColon: allowColon) {
            position += 1
        }
        return position > start ? String(decoding: bytes[start..<position], as: UTF8.self) : nil
    }

    private mutating func labelSet(maximum: Int) -> [String: String]? {
        var labels: [String: String] = [:]
        position += 1
        while true {
            skipBlanks()
            if peek == Byte.closeBrace {
                position += 1
                return labels
            }
            guard let name = identifier(allowColon: false) else { return nil }
            skipBlanks()
            guard take(Byte.equals) else { return nil }
            skipBlanks()
            guard take(Byte.quote), let value = quotedRest(), labels[name] == nil, labels.count < maximum else {
                return nil
            }
            labels[name] = value
            skipBlanks()
            guard take(Byte.comma) || peek == Byte.closeBrace else { return nil }
        }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard peek == byte else { return false }
        position += 1
        return true
    }

    /// The rest of a quoted value, whose opening quote has been read.
    private mutating func quotedRest() -> String? {
        var value: [UInt8] = []
        while let byte = peek {
            position += 1
            switch byte {
            case Byte.quote:
                return String(decoding: value, as: UTF8.self)
            case Byte.backslash:
                guard let escaped = peek else { return nil }
                position += 1
                switch escaped {
                case Byte.letterN: value.append(Byte.newline)
                case Byte.quote, Byte.backslash: value.append(escaped)
                default: value += [Byte.backslash, escaped]
                }
            default:
                value.append(byte)
            }
        }
        return nil
    }

    private mutating func number() -> Double? {
        let start = position
        while let byte = peek, byte > Byte.space, byte != Byte.hash {
            position += 1
        }
        // The standard library reads the same words as the format: 1, -1.5e3, +Inf, NaN.
        return Double(String(decoding: bytes[start..<position], as: UTF8.self))
    }
}

/// The bytes that mean something in the format.
enum Byte {
    static let tab: UInt8 = 0x09
    static let newline: UInt8 = 0x0A
    static let carriageReturn: UInt8 = 0x0D
    static let space: UInt8 = 0x20
    static let quote: UInt8 = 0x22
    static let hash: UInt8 = 0x23
    static let comma: UInt8 = 0x2C
    static let colon: UInt8 = 0x3A
    static let equals: UInt8 = 0x3D
    static let backslash: UInt8 = 0x5C
    static let underscore: UInt8 = 0x5F
    static let letterN: UInt8 = 0x6E
    static let openBrace: UInt8 = 0x7B
    static let closeBrace: UInt8 = 0x7D

    /// Whether the byte may stand in a metric or label name, at its start or further on.
    static func isNamePart(_ byte: UInt8, first: Bool, allowColon: Bool) -> Bool {
        switch byte {
        case 0x41...0x5A, 0x61...0x7A, underscore: true
        case 0x30...0x39: !first
        case colon: allowColon
        default: false
        }
    }
}

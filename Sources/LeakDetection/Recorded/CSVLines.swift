/// Cuts bytes into lines and fields without copying. Knows nothing of what the fields mean.
struct CSVLines {
    struct Line {
        /// From 1.
        var number: Int
        var fields: [Range<Int>]

    }

    private let bytes: [UInt8]
    private var position = 0
    private var number = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
    }

    /// The next line that is neither blank nor a remark (`#`).
    mutating func next() -> Line? {
        while position < bytes.count {
            number += 1
            let start = position
            while position < bytes.count, bytes[position] != UInt8(ascii: "\n") { position += 1 }
            var end = position
            position += 1
            if end > start, bytes[end - 1] == UInt8(ascii: "\r") { end -= 1 }
            let line = Self.trim(bytes, start..<end)
            guard !line.isEmpty, bytes[line.lowerBound] != UInt8(ascii: "#") else { continue }
            return Line(number: number, fields: Self.fields(bytes, line))
        }
        return nil
    }

    private static func fields(_ bytes: [UInt8], _ line: Range<Int>) -> [Range<Int>] {
        var fields: [Range<Int>] = []
        fields.reserveCapacity(4)
        var start = line.lowerBound
        for index in line where bytes[index] == UInt8(ascii: ",") {
            fields.append(unquote(bytes, start..<index))
            start = index + 1
        }
        fields.append(unquote(bytes, start..<line.upperBound))
        return fields
    }

    private static func unquote(_ bytes: [UInt8], _ field: Range<Int>) -> Range<Int> {
        let inner = trim(bytes, field)
        guard inner.count >= 2, bytes[inner.lowerBound] == UInt8(ascii: "\""),
            bytes[inner.upperBound - 1] == UInt8(ascii: "\"")
        else { return inner }
        return (inner.lowerBound + 1)..<(inner.upperBound - 1)
    }

    private static func trim(_ bytes: [UInt8], _ range: Range<Int>) -> Range<Int> {
        var low = range.lowerBound
        var high = range.upperBound
        while low < high, isBlank(bytes[low]) { low += 1 }
        while high > low, isBlank(bytes[high - 1]) { high -= 1 }
        return low..<high
    }

    private static func isBlank(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t")
    }
}

/// Decimal numbers as they stand in CSV.
enum Decimal {
    enum Outcome: Hashable {
        case value(Double)
        /// Empty, or one of the words by which programs say that there is no value.
        case missing
        case malformed
    }

    static func parse(_ bytes: [UInt8], _ field: Range<Int>) -> Outcome {
        if field.isEmpty { return .missing }
        if let value = plain(bytes, field) { return .value(value) }
        guard field.count <= 64 else { return .malformed }
        let text = String(decoding: bytes[field], as: UTF8.self)
        if ["nan", "null", "none", "na", "n/a", "-"].contains(text.lowercased()) { return .missing }
        // `Double` also takes hexadecimal numbers and "inf", which no recording means.
        guard text.utf8.allSatisfy(isDecimal), let value = Double(text), value.isFinite else { return .malformed }
        return .value(value)
    }

    /// Up to 15 digits with an optional point: exact, without a string.
    private static func plain(_ bytes: [UInt8], _ field: Range<Int>) -> Double? {
        var digits: Int64 = 0
        var count = 0
        var decimals: Int?
        var index = field.lowerBound
        let negative = bytes[index] == UInt8(ascii: "-")
        if negative { index += 1 }
        while index < field.upperBound {
            let byte = bytes[index]
            index += 1
            if byte == UInt8(ascii: "."), decimals == nil {
                decimals = 0
                continue
            }
            guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9"), count < 15 else { return nil }
            digits = digits * 10 + Int64(byte - UInt8(ascii: "0"))
            count += 1
            if let places = decimals { decimals = places + 1 }
        }
        guard count > 0 else { return nil }
        // Both are exact in a Double, so the quotient is correctly rounded.
        let value = Double(digits) / powers[decimals ?? 0]
        return negative ? -value : value
    }

    private static func isDecimal(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."),
            UInt8(ascii: "e"), UInt8(ascii: "E"):
            true
        default: false
        }
    }

    private static let powers: [Double] = [
        1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
    ]
}

/// Times as RFC 3339 section 5.6 writes them.
enum RFC3339 {
    /// Seconds since 1970 in UTC; nil when the text is no such time. A leap second counts as the second after it.
    static func secondsSince1970(_ text: String) -> Double? {
        var rest = Array(text.utf8)[...]
        guard rest.count <= 64,
            let year = digits(&rest, 4), take(&rest, "-"), let month = digits(&rest, 2), take(&rest, "-"),
            let day = digits(&rest, 2), take(&rest, "Tt "), let hour = digits(&rest, 2), take(&rest, ":"),
            let minute = digits(&rest, 2), take(&rest, ":"), let second = digits(&rest, 2)
        else { return nil }
        guard (1...12).contains(month), (1...lengths(year)[month - 1]).contains(day), hour < 24, minute < 60,
            second <= 60
        else { return nil }
        var fraction = 0.0
        if take(&rest, ".") {
            var place = 0.1
            guard let first = rest.first, isDigit(first) else { return nil }
            while let byte = rest.first, isDigit(byte) {
                fraction += Double(byte - UInt8(ascii: "0")) * place
                place /= 10
                rest.removeFirst()
            }
        }
        guard let offset = offset(&rest), rest.isEmpty else { return nil }
        let seconds = days(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second - offset
        return Double(seconds) + fraction
    }

    private static func offset(_ rest: inout ArraySlice<UInt8>) -> Int? {
        if take(&rest, "Zz") { return 0 }
        let negative = rest.first == UInt8(ascii: "-")
        guard take(&rest, "+-"), let hours = digits(&rest, 2), take(&rest, ":"), let minutes = digits(&rest, 2),
            hours < 24, minutes < 60
        else { return nil }
        return (hours * 3_600 + minutes * 60) * (negative ? -1 : 1)
    }

    private static func lengths(_ year: Int) -> [Int] {
        let leap = year.isMultiple(of: 4) && (!year.isMultiple(of: 100) || year.isMultiple(of: 400))
        return [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    }

    /// Days from 1970-01-01 in the Gregorian calendar, carried backwards as ISO 8601 does.
    private static func days(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let past = year - 1
        let before = past * 365 + past / 4 - past / 100 + past / 400
        return before + lengths(year).prefix(month - 1).reduce(0, +) + day - 1 - 719_162
    }

    private static func digits(_ rest: inout ArraySlice<UInt8>, _ count: Int) -> Int? {
        guard rest.count >= count else { return nil }
        var value = 0
        for _ in 0..<count {
            let byte = rest.removeFirst()
            guard isDigit(byte) else { return nil }
            value = value * 10 + Int(byte - UInt8(ascii: "0"))
        }
        return value
    }

    private static func take(_ rest: inout ArraySlice<UInt8>, _ any: String) -> Bool {
        guard let first = rest.first, any.utf8.contains(first) else { return false }
        rest.removeFirst()
        return true
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
    }
}

extension YAMLValue {
    package func problem(_ message: String, hint: String? = nil) -> YAMLProblem {
        YAMLProblem(line: line, message: message, hint: hint)
    }

    package func string() throws(YAMLProblem) -> String {
        guard case .scalar(let text) = content else { throw problem("\(name) must be a single value") }
        return text
    }

    package func list() throws(YAMLProblem) -> [YAMLValue] {
        guard case .sequence(let values) = content else {
            throw problem("\(name) must be a list", hint: "`[a, b]`, or one `- a` a line")
        }
        return values
    }

    package var isList: Bool {
        if case .sequence = content { true } else { false }
    }

    package func integer(in range: ClosedRange<Int>) throws(YAMLProblem) -> Int {
        let text = try string()
        guard let value = Int(text) else { throw problem("\(name) must be a whole number, not `\(text)`") }
        guard range.contains(value) else {
            throw problem("\(name) must be within \(range.lowerBound)–\(range.upperBound), not \(value)")
        }
        return value
    }

    package func number(in range: ClosedRange<Double>) throws(YAMLProblem) -> Double {
        let text = try string()
        guard let value = Double(text), value.isFinite else { throw problem("\(name) must be a number, not `\(text)`") }
        guard range.contains(value) else {
            throw problem("\(name) must be within \(range.lowerBound)–\(range.upperBound), not \(text)")
        }
        return value
    }

    package func bool() throws(YAMLProblem) -> Bool {
        switch try string() {
        case "true": return true
        case "false": return false
        case let text: throw problem("\(name) must be true or false, not `\(text)`")
        }
    }

    /// An amount of memory with its unit, in bytes: "256MiB".
    package func bytes() throws(YAMLProblem) -> Int64 {
        let text = try string()
        let units: [(String, Int64)] = [
            ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40), ("B", 1),
        ]
        let hint = "write a number and a unit: B, KiB, MiB, GiB or TiB, such as 256MiB"
        guard let (number, factor) = Self.split(text, units: units) else {
            throw problem("\(name) must be an amount of memory, not `\(text)`", hint: hint)
        }
        let value = number * Double(factor)
        guard value >= 0, value < 9e15 else { throw problem("\(name) is out of range: \(text)", hint: hint) }
        return Int64(value.rounded())
    }

    /// A time with its unit, in seconds: "500ms", "30s", "5min" or "5m", "2h", "1d", "1w".
    package func seconds(in range: ClosedRange<Double> = 0...31_622_400) throws(YAMLProblem) -> Double {
        let text = try string()
        let units: [(String, Double)] = [
            ("ms", 0.001), ("min", 60), ("m", 60), ("h", 3_600), ("d", 86_400), ("w", 604_800), ("s", 1),
        ]
        let hint = "write a number and a unit: ms, s, min, h, d or w, such as 30s"
        guard let (number, factor) = Self.split(text, units: units) else {
            throw problem("\(name) must be a time, not `\(text)`", hint: hint)
        }
        let value = number * factor
        guard range.contains(value) else {
            throw problem("\(name) must be within \(range.lowerBound)–\(range.upperBound) s, not \(text)")
        }
        return value
    }

    /// A share with its sign, in percent: "99.9%", "90 %".
    package func percent(in range: ClosedRange<Double> = 0...100) throws(YAMLProblem) -> Double {
        let text = try string()
        guard let (value, _) = Self.split(text, units: [("%", 1)]) else {
            throw problem("\(name) must be a percentage, not `\(text)`", hint: "write it with its sign, such as 90%")
        }
        guard range.contains(value) else {
            throw problem("\(name) must be within \(range.lowerBound)–\(range.upperBound) %, not \(text)")
        }
        return value
    }

    /// One of a few words.
    package func choice<Choice: RawRepresentable & CaseIterable>(
        _ type: Choice.Type = Choice.self
    ) throws(YAMLProblem) -> Choice where Choice.RawValue == String {
        let text = try string()
        guard let choice = Choice(rawValue: text) else {
            let words = Choice.allCases.map(\.rawValue).joined(separator: ", ")
            throw problem("\(name) cannot be `\(text)`", hint: "one of \(words)")
        }
        return choice
    }

    private static func split<Factor>(_ text: String, units: [(String, Factor)]) -> (Double, Factor)? {
        for (unit, factor) in units where text.hasSuffix(unit) {
            var digits = text.dropLast(unit.count)
            while digits.last == " " { digits.removeLast() }
            guard digits.allSatisfy({ $0.isASCII && ($0.isNumber || $0 == ".") }), let number = Double(digits),
                number.isFinite
            else { return nil }
            return (number, factor)
        }
        return nil
    }
}

extension YearlyRule {
    /// Reads "CET-1CEST,M3.5.0,M10.5.0/3", "<+0330>-3:30"; nil: it is not such a rule. At most 128 bytes.
    ///
    /// Clocks that are changed need both days: the ones an operating system would assume otherwise are nobody's law.
    package init?(posix text: String) {
        guard text.utf8.count <= 128 else { return nil }
        var scanner = RuleScanner(rest: Array(text.utf8)[...])
        guard let name = scanner.name(), let west = scanner.time(limit: 24) else { return nil }
        let standard = ZonePeriod(offsetSeconds: -west, abbreviation: name)
        self.init(standard: standard)
        guard !scanner.rest.isEmpty else { return }
        guard let name = scanner.name() else { return nil }
        var offset = standard.offsetSeconds + 3_600
        if scanner.rest.first != UInt8(ascii: ",") {
            guard let west = scanner.time(limit: 24) else { return nil }
            offset = -west
        }
        guard let begins = scanner.change(), let ends = scanner.change(), scanner.rest.isEmpty else { return nil }
        daylight = Daylight(
            period: ZonePeriod(offsetSeconds: offset, abbreviation: name), begins: begins, ends: ends)
    }
}

private struct RuleScanner {
    var rest: ArraySlice<UInt8>

    /// Three letters or more, or letters, digits and signs in angle brackets.
    mutating func name() -> String? {
        let quoted = take("<")
        let name = rest.prefix { byte in
            let isLetter = (65...90).contains(byte) || (97...122).contains(byte)
            let isSign = byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-")
            return isLetter || (quoted && (isSign || (48...57).contains(byte)))
        }
        rest = rest.dropFirst(name.count)
        guard name.count >= (quoted ? 1 : 3), !quoted || take(">") else { return nil }
        return String(decoding: name, as: UTF8.self)
    }

    /// "[+-]h[h[h]][:mm[:ss]]" in seconds, up to `limit` hours.
    mutating func time(limit: Int) -> Int32? {
        let sign: Int32 = take("-") ? -1 : (take("+") ? 1 : 1)
        guard let hours = number(in: 0...limit) else { return nil }
        var seconds = Int32(hours * 3_600)
        if take(":") {
            guard let minutes = number(in: 0...59) else { return nil }
            seconds += Int32(minutes * 60)
            if take(":") {
                guard let more = number(in: 0...59) else { return nil }
                seconds += Int32(more)
            }
        }
        return sign * seconds
    }

    /// ",Mm.w.d[/time]", ",Jn[/time]", ",n[/time]".
    mutating func change() -> YearlyRule.Change? {
        guard take(","), let day = day() else { return nil }
        guard take("/") else { return YearlyRule.Change(day: day, seconds: 2 * 3_600) }
        guard let seconds = time(limit: 167) else { return nil }
        return YearlyRule.Change(day: day, seconds: seconds)
    }

    private mutating func day() -> YearlyRule.Day? {
        if take("J") { return number(in: 1...365).map { .withoutLeapDay($0) } }
        guard take("M") else { return number(in: 0...365).map { .withLeapDay($0) } }
        guard let month = number(in: 1...12), take("."), let week = number(in: 1...5), take("."),
            let weekday = number(in: 0...6)
        else { return nil }
        return .weekday(month: month, week: week, weekday: weekday)
    }

    private mutating func number(in range: ClosedRange<Int>) -> Int? {
        let digits = rest.prefix { (48...57).contains($0) }
        guard (1...3).contains(digits.count) else { return nil }
        let value = digits.reduce(0) { $0 * 10 + Int($1 - 48) }
        guard range.contains(value) else { return nil }
        rest = rest.dropFirst(digits.count)
        return value
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard rest.first == UInt8(ascii: character) else { return false }
        rest = rest.dropFirst()
        return true
    }
}

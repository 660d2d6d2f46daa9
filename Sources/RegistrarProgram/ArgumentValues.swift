internal import ArgumentParser

/// A size on the command line: a whole number and a unit, e.g. `19MiB`, `512KiB`, `1GiB`, `65536` (bytes).
package struct SizeArgument: Hashable, Sendable, ExpressibleByArgument, CustomStringConvertible {
    package var bytes: Int

    package init(bytes: Int) {
        self.bytes = bytes
    }

    package init?(argument: String) {
        let digits = argument.utf8.prefix { (0x30...0x39).contains($0) }
        guard let number = Int(argument.prefix(digits.count)), number > 0,
            let unit = Self.units[String(argument.dropFirst(digits.count))]
        else { return nil }
        let (bytes, overflow) = number.multipliedReportingOverflow(by: unit)
        guard !overflow else { return nil }
        self.bytes = bytes
    }

    private static let units = ["": 1, "B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30]

    package var description: String {
        for (unit, size) in [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)] where bytes % size == 0 {
            return "\(bytes / size)\(unit)"
        }
        return "\(bytes)"
    }

    package var defaultValueDescription: String { description }
}

/// A time on the command line: a whole number and a unit, e.g. `500ms`, `15s`, `2m`.
package struct TimeArgument: Hashable, Sendable, ExpressibleByArgument, CustomStringConvertible {
    package var milliseconds: Int64

    package init(milliseconds: Int64) {
        self.milliseconds = milliseconds
    }

    package init?(argument: String) {
        let digits = argument.utf8.prefix { (0x30...0x39).contains($0) }
        guard let number = Int64(argument.prefix(digits.count)),
            let unit = Self.units[String(argument.dropFirst(digits.count))]
        else { return nil }
        let (milliseconds, overflow) = number.multipliedReportingOverflow(by: unit)
        // A day is longer than anything here may take, and keeps sums from overflowing.
        guard !overflow, milliseconds <= 86_400_000 else { return nil }
        self.milliseconds = milliseconds
    }

    private static let units: [String: Int64] = ["ms": 1, "s": 1000, "m": 60_000]

    package var duration: Duration { .milliseconds(milliseconds) }
    package var description: String { milliseconds % 1000 == 0 ? "\(milliseconds / 1000)s" : "\(milliseconds)ms" }
    package var defaultValueDescription: String { description }
}

/// Pressure stall information: how long tasks waited for a resource (kernel documentation, accounting/psi.rst).
package struct Pressure: Hashable, Sendable {
    /// One line of the file.
    package struct Share: Hashable, Sendable {
        /// Percent of the last 10, 60 and 300 seconds.
        package var average10: Double
        package var average60: Double
        package var average300: Double
        /// Microseconds since boot (or since the cgroup was made).
        package var totalMicroseconds: UInt64
    }

    /// At least one task waited.
    package var some: Share
    /// All tasks waited; nil where the kernel does not tell (processor pressure of the whole machine before 5.13).
    package var full: Share?

    /// Reads the content of `/proc/pressure/*` or a cgroup's `*.pressure`; nil when it is not that.
    package init?(_ bytes: Span<UInt8>) {
        var some: Share?
        var full: Share?
        var scanner = ByteScanner()
        while !scanner.isAtEnd(bytes) {
            if scanner.take("some ", bytes) {
                some = Self.share(&scanner, bytes)
            } else if scanner.take("full ", bytes) {
                full = Self.share(&scanner, bytes)
            }
            scanner.skipLine(bytes)
        }
        guard let some else { return nil }
        self.some = some
        self.full = full
    }

    /// What tasks of the whole machine wait for.
    package enum Resource: String, Hashable, Sendable {
        case cpu, memory, io
    }

    /// The machine's pressure; nil where the kernel does not offer it.
    package static func machine(_ resource: Resource) -> Pressure? {
        FileBytes.read(path: "/proc/pressure/\(resource.rawValue)").flatMap { Pressure($0.span) }
    }

    private static func share(_ scanner: inout ByteScanner, _ bytes: Span<UInt8>) -> Share? {
        guard scanner.take("avg10=", bytes), let average10 = scanner.decimal(bytes),
            scanner.take(" avg60=", bytes), let average60 = scanner.decimal(bytes),
            scanner.take(" avg300=", bytes), let average300 = scanner.decimal(bytes),
            scanner.take(" total=", bytes), let total = scanner.number(bytes)
        else { return nil }
        return Share(
            average10: average10, average60: average60, average300: average300, totalMicroseconds: total)
    }
}

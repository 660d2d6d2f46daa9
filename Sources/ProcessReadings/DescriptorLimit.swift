/// How many descriptors a process may have open: the soft limit in force, `Max open files` of `/proc/PID/limits`
/// (proc_pid_limits(5)).
package struct DescriptorLimit: Hashable, Sendable {
    /// nil: unlimited.
    package var count: Int?

    /// Nil when the text holds no such line, or something else than a number and "unlimited" in it.
    package init?(_ bytes: Span<UInt8>) {
        var scanner = ByteScanner()
        while !scanner.isAtEnd(bytes) {
            guard scanner.take("Max open files", bytes) else {
                scanner.skipLine(bytes)
                continue
            }
            scanner.skipBlanks(bytes)
            if scanner.take("unlimited", bytes) {
                count = nil
                return
            }
            guard let number = scanner.number(bytes) else { return nil }
            count = Int(clamping: number)
            return
        }
        return nil
    }

    /// Reads it of a process; nil when that fails. One open, read and close: as often as descriptors are counted.
    package static func read(of pid: Int32) -> DescriptorLimit? {
        guard let bytes = FileBytes.read(path: "/proc/\(pid)/limits", limit: 8_192) else { return nil }
        return DescriptorLimit(bytes.span)
    }
}
